public import Ranking

/// Opens a damaged model as if its checksum were right, and asks it all kinds of questions.
public enum DamagedModel {
    public enum Outcome: Sendable { case refused, answered }

    /// - Parameter isSound: gets every answer; what it should never be told is named there.
    public static func ask(_ bytes: [UInt8], scratch: inout RankingScratch, isSound: (RankingRequest, RankingResult) -> Void) -> Outcome {
        guard let model = try? Model(opening: ModelBytes(bytes), verifyingChecksum: false) else { return .refused }
        let history = [Int32(0), 7, 30, 31, 7, 99, 100_000, -1].enumerated().map {
            HistoryEvent(item: $1, eventType: Int16($0 % 3), timestamp: Int64($0), value: $0 % 2 == 0 ? 3 : .nan)
        }
        var request = RankingRequest(history: history, item: 30, count: 20, explain: true)
        isSound(request, model.rank(request, scratch: &scratch))
        request.relatedByEventType = 1
        request.allowed = [0x5555_5555_5555_5555]
        request.excludeHistory = true
        isSound(request, model.rank(request, scratch: &scratch))
        request = RankingRequest(history: history, item: 5, candidates: [0, 5, 90, 90, 12_345, -4], count: 3, explain: true)
        request.boosts = [.init(row: 5, factor: 3), .init(row: 1 << 40, factor: 2)]
        isSound(request, model.rank(request, scratch: &scratch))
        isSound(RankingRequest(count: 0), model.rank(RankingRequest(count: 0), scratch: &scratch))
        _ = (0..<3).map { model.itemID(ofRow: $0) }
        _ = (model.rowOfItem(50), model.distinctUsers(ofRow: 1), model.sections, model.properties)
        return .answered
    }
}
