import Foundation
import Ranking

/// Judges recipes that make segments of users, by the contract's metrics.
struct SegmentReport {
    let labels: [String]
    let configurations: [FitConfiguration]

    func write(_ data: TrainingData) throws {
        for (label, configuration) in zip(labels, configurations) {
            do throws(FitError) {
                let (evaluation, use) = try ResourceUse.measure { () throws(FitError) in
                    try evaluate(data, configuration) { TerminalProgress.show($0, "\(label): \($1)") }
                }
                TerminalProgress.clear()
                let metrics = evaluation.metrics.sorted { $0.key < $1.key }.map { String(format: "  %@ %.4f", $0.key, $0.value) }
                writeAll(([label] + evaluation.log.map { "  " + $0 } + metrics + ["  \(use.text)", ""]).joined(separator: "\n"), to: 1)
            } catch {
                TerminalProgress.clear()
                throw Failure(error.message)
            }
        }
    }
}
