import JSON
import Testing

@testable import Console

@Suite struct VersionReportTests {
    @Test func `the curves of a training are read from what the model says of itself`() throws {
        let report = VersionReport([
            "properties": [
                "blend.0": "factors", "blend.0.weight": "2", "blend.1": "choices", "blend.1.weight": "1", "tried.factors": "0.1",
                "curve.0": "factors 0.1000", "curve.1": "choices 0.1200", "losses.factors": "98.5 71.9 68.8",
            ]
        ])
        #expect(report.losses == [98.5, 71.9, 68.8])
        #expect(report.curve.map(\.part) == ["factors", "choices"])
        #expect(report.chosen.map(\.name) == ["factors", "choices"])
        #expect(PartText.title("choices") == "Chosen when shown" && !PartText.meaning("choices").isEmpty)
    }

    @Test func `a version without curves has none`() {
        #expect(VersionReport(nil).losses.isEmpty)
        #expect(VersionReport(["properties": ["losses.factors": ""]]).losses.isEmpty)
    }
}
