import Foundation
import JSON
import Ranking

/// How far popularity and freshness change the order of what is alike: the contract's `rankingInfluence`, each from 0 to 1.
public struct RankingInfluence: Sendable, Equatable {
    public var popularity = 0.0
    public var freshness = 0.0

    /// Candidates that may change places.
    static let depth = 200

    var isNeutral: Bool { popularity == 0 && freshness == 0 }

    init() {}

    init(_ members: InputMembers) throws(OperationError) {
        for member in members.object.members where !member.value.isNull {
            let weight = try Check.required(try members.double(member.name), field: members.fullName(member.name))
            try Check.range(weight, 0...1, field: members.fullName(member.name))
            switch member.name {
            case "POPULARITY": popularity = weight
            case "FRESHNESS": freshness = weight
            default:
                throw .invalidInput("'\(member.name)' is not one of POPULARITY, FRESHNESS.", field: members.fullName(member.name))
            }
        }
    }

    /// By likeness + popularity weight x logarithm of users + freshness weight x age's place among the candidates, each from 0 to 1
    /// within the list: at weight 1 popularity counts as much as likeness.
    func reordered(_ candidates: [Candidate], _ model: Model, createdAt: (Int32) -> Int64?) -> [Candidate] {
        let scored = candidates.filter { $0.score != nil }
        let users = scored.map { candidate in log(1 + Double(model.rowOfItem(candidate.item).map { model.distinctUsers(ofRow: $0) } ?? 0)) }
        let times = scored.map { createdAt($0.item) }
        let ages = Array(Set(times.compactMap { $0 })).sorted()
        let (mostAlike, mostUsers) = (scored.compactMap(\.score).max() ?? 0, users.max() ?? 0)
        let sums = scored.indices.map { index -> Double in
            var sum = mostAlike > 0 ? (scored[index].score ?? 0) / mostAlike : 0
            if mostUsers > 0 { sum += popularity * users[index] / mostUsers }
            if ages.count > 1, let time = times[index], let place = ages.firstIndex(of: time) {
                sum += freshness * Double(place) / Double(ages.count - 1)
            }
            return sum
        }
        let order = scored.indices.sorted { (sums[$1], $0) < (sums[$0], $1) }
        return order.map { scored[$0] } + candidates.filter { $0.score == nil }
    }
}
