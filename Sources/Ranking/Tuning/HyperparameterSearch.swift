import Foundation

/// One fit of a search: a setting, judged at one rung.
public struct Trial: Sendable, Equatable {
    /// Of the setting, from 0.
    public var number: Int
    /// From 0; each rung learns from more users than the one before.
    public var rung: Int
    public var parameters: [String: String]
    /// Of the users, 0...1.
    public var share: Double
}

/// What a trial found.
public struct TrialResult: Sendable, Equatable {
    public var number: Int
    public var rung: Int
    /// NDCG on held-out users; nil when the setting could not be fitted.
    public var quality: Double?
    public var seconds: Double

    public init(number: Int, rung: Int, quality: Double?, seconds: Double) {
        self.number = number
        self.rung = rung
        self.quality = quality
        self.seconds = seconds
    }
}

/// Random search with successive halving (Jamieson and Talwalkar 2016; Li et al. 2018): many settings on few users, the best third of
/// them on three times the users, and so on, until the last rung learns from all. Proposes trials and takes results; fits nothing itself.
///
/// The first setting is the one nearest to the recipe's defaults, so that a search is not worse than none on what it sees. Proposals
/// depend on the space, the limit and the seed alone, so that results of an earlier attempt can be recorded into a new search.
public struct HyperparameterSearch: Sendable {
    /// Of the settings of a rung, one in so many goes on.
    static let reduction = 3

    private let settings: [[String: String]]
    /// Settings per rung, falling.
    let widths: [Int]
    private var results: [[TrialResult]]

    /// `limit`: fits in all; `rungs` at least 1.
    public init(space: SearchSpace, recipe: RecipeName, limit: Int, rungs: Int, seed: UInt64) {
        let widths = Self.widths(limit: limit, rungs: rungs)
        settings = Self.settings(space, recipe: recipe, count: space.count(upTo: widths[0]), seed: seed)
        let first = settings.count
        self.widths = widths.map { min($0, first) }
        results = widths.map { _ in [] }
    }

    /// The widest rungs whose fits add up to `limit` at most.
    static func widths(limit: Int, rungs: Int) -> [Int] {
        for first in stride(from: max(1, limit), through: 1, by: -1) {
            var widths: [Int] = []
            var width = first
            for _ in 0..<max(1, rungs) {
                widths.append(width)
                width = max(1, width / reduction)
            }
            if widths.reduce(0, +) <= limit { return widths }
        }
        return [1]
    }

    private static func settings(_ space: SearchSpace, recipe: RecipeName, count: Int, seed: UInt64) -> [[String: String]] {
        var random = RandomSource(seed: seed)
        var settings = [space.nearest(to: recipe)]
        // A small space is soon drawn empty; the bound ends the search for the last few.
        for _ in 0..<count * 50 where settings.count < count {
            let setting = space.draw(&random)
            if !settings.contains(setting) { settings.append(setting) }
        }
        return settings
    }

    /// Trials whose results are awaited, in order; empty when the search has ended.
    public var pending: [Trial] {
        for rung in widths.indices where results[rung].count < widths[rung] {
            let done = Set(results[rung].map(\.number))
            return entrants(of: rung).filter { !done.contains($0) }.map { number in
                Trial(number: number, rung: rung, parameters: settings[number], share: share(of: rung))
            }
        }
        return []
    }

    /// Of the users.
    func share(of rung: Int) -> Double { pow(Double(Self.reduction), Double(rung - widths.count + 1)) }

    public var trialCount: Int { widths.reduce(0, +) }

    /// Takes a result in; one that the search did not ask for, or has already, changes nothing.
    public mutating func record(_ result: TrialResult) {
        guard pending.contains(where: { $0.number == result.number && $0.rung == result.rung }) else { return }
        results[result.rung].append(result)
    }

    /// The best setting of the highest rung that has results; nil when none could be fitted.
    public var best: (parameters: [String: String], quality: Double)? {
        for rung in widths.indices.reversed() {
            if let best = ranked(rung).first, let quality = best.quality { return (settings[best.number], quality) }
        }
        return nil
    }

    /// What the recipe's own setting reached at a rung.
    func qualityOfDefaults(at rung: Int) -> Double? { results[rung].first { $0.number == 0 }?.quality }

    private func entrants(of rung: Int) -> [Int] {
        rung == 0 ? Array(settings.indices) : ranked(rung - 1).prefix(widths[rung]).map(\.number)
    }

    /// Best first; equal ones by number, what could not be fitted last.
    private func ranked(_ rung: Int) -> [TrialResult] {
        results[rung].sorted { ($0.quality ?? -1, $1.number) > ($1.quality ?? -1, $0.number) }
    }
}
