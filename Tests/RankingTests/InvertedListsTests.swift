import Foundation
import ModelMutation
import Testing

@testable import Ranking

/// Reading a few lists of vectors instead of all.
@Suite struct InvertedListsTests {
    private static let dimensions = 24
    private static let clusters = 150

    /// Items of clusters, of unequal length; each user is drawn to two clusters. Item i is of cluster i % 150.
    private static func vectors(
        items count: Int = 15_000, users: Int = 300, threads: Int = 2, isListed: Bool = true
    ) -> VectorImport {
        var random = RandomSource(seed: 11)
        func draw(_ scale: Float) -> [Float] { (0..<Self.dimensions).map { _ in scale * random.normal() } }
        let centers = (0..<Self.clusters).map { _ in draw(1) }
        let items = (0..<count).flatMap { item -> [Float] in
            let length = expf(0.6 * random.normal())
            return zip(centers[item % Self.clusters], draw(0.5)).map { length * ($0 + $1) }
        }
        let owned = (0..<users).flatMap { user -> [Float] in
            zip(zip(centers[user % Self.clusters], centers[(user * 7 + 1) % Self.clusters]), draw(0.2)).map { $0.0 + $0.1 + $1 }
        }
        var vectors = VectorImport(
            metric: .innerProduct, dimensions: Self.dimensions, itemIDs: (0..<Int32(count)).map { $0 }, items: items,
            userIDs: (0..<Int32(users)).map { $0 }, users: owned)
        vectors.listThreshold = isListed ? 0 : .max
        vectors.threads = threads
        vectors.createdAt = Date(timeIntervalSince1970: 0)
        return vectors
    }

    /// Fitted once for all tests.
    private static let kept = Result { (listed: try vectors().model().opened(), exact: try vectors(isListed: false).model().opened()) }

    private func answer(_ model: Model, _ user: Int32, _ count: Int, allowed: [UInt64]? = nil) -> [Int32] {
        var scratch = RankingScratch()
        var request = RankingRequest(allowed: allowed, count: count)
        request.user = user
        return model.rank(request, scratch: &scratch).items.map(\.item)
    }

    private func number(_ model: Model, _ name: String) -> Double { model.properties[name].flatMap(Double.init) ?? -1 }

    @Test(arguments: [10, 100])
    func `the lists that were chosen find what a look at everything finds`(_ count: Int) throws {
        let (listed, exact) = try Self.kept.get()
        #expect(exact.properties[ListProbes.property] == nil)
        #expect(number(listed, "lists.recall_at_\(count)") >= 0.99)
        #expect((0.0001...0.25).contains(number(listed, "lists.share_at_\(count)")))
        var found = 0
        for user in 0..<300 as Range<Int32> {
            found += Set(answer(exact, user, count)).intersection(answer(listed, user, count)).count
        }
        #expect(Double(found) / Double(300 * count) >= 0.985)
    }

    @Test func `reading every list leaves nothing out`() throws {
        let vectors = Self.vectors(items: 3000, users: 5)
        var file = try TakenApartModel(vectors.model().bytes)
        let lists = try #require(file.properties.first { $0.hasPrefix("lists.count=") }).dropFirst(12)
        file.properties = file.properties.filter { !$0.hasPrefix("lists.probes=") } + ["lists.probes=1000:\(lists)"]
        let listed = try Model(opening: ModelBytes(file.encoded()))
        let exact = try Self.vectors(items: 3000, users: 5, isListed: false).model().opened()
        for user in 0..<5 as Range<Int32> {
            for count in [1, 10, 250] { #expect(answer(listed, user, count) == answer(exact, user, count)) }
        }
    }

    @Test func `behind a narrow filter the answer is exact`() throws {
        let (listed, exact) = try Self.kept.get()
        for user in stride(from: 0, to: 300, by: 7).map({ Int32($0) }) {
            // One item in 153: the best ten of them are beyond the best thousand of all. And one cluster far from the user.
            for rows in [stride(from: 5, to: 15_000, by: 153), stride(from: (Int(user) + 75) % 150, to: 15_000, by: 150)] {
                let allowed = rowBitmap(rows, count: 15_000)
                #expect(answer(listed, user, 10, allowed: allowed) == answer(exact, user, 10, allowed: allowed))
            }
        }
    }

    @Test func `a filter against a user's taste makes requests look further`() throws {
        let (listed, exact) = try Self.kept.get()
        var found = 0
        for user in 0..<300 as Range<Int32> {
            // A third of the items, but none of the clusters that the user is drawn to.
            let own = [Int(user) % 150, (Int(user) * 7 + 1) % 150]
            let allowed = rowBitmap((0..<15_000).filter { !own.contains($0 % 150) && $0 % 150 % 3 == 0 }, count: 15_000)
            found += Set(answer(listed, user, 10, allowed: allowed)).intersection(answer(exact, user, 10, allowed: allowed)).count
        }
        #expect(Double(found) / Double(300 * 10) >= 0.985)
    }

    @Test func `a filter that admits most is read through`() throws {
        let (listed, exact) = try Self.kept.get()
        let allowed = rowBitmap((0..<15_000).filter { $0 % 4 != 1 }, count: 15_000)
        var found = 0
        for user in 0..<300 as Range<Int32> {
            let answer = answer(listed, user, 25, allowed: allowed)
            #expect(answer.allSatisfy { $0 % 4 != 1 })
            found += Set(self.answer(exact, user, 25, allowed: allowed)).intersection(answer).count
        }
        #expect(Double(found) / Double(300 * 25) >= 0.985)
    }

    @Test func `vectors without structure are looked at one by one`() throws {
        var random = RandomSource(seed: 5)
        var vectors = VectorImport(
            metric: .innerProduct, dimensions: 48, itemIDs: (0..<4000).map { $0 }, items: (0..<4000 * 48).map { _ in random.normal() },
            userIDs: (0..<100).map { $0 }, users: (0..<100 * 48).map { _ in random.normal() })
        vectors.listThreshold = 0
        let fitted = try vectors.model()
        #expect(try fitted.opened().properties[ListProbes.property] == nil)
        #expect(try !fitted.opened().sections.contains { $0.name.contains("lists") })
        #expect(fitted.log.contains { $0.hasPrefix("All items are looked at") })
    }

    @Test func `any number of threads makes the same lists`() throws {
        #expect(try Self.vectors(items: 4000, threads: 1).model().bytes == Self.vectors(items: 4000, threads: 3).model().bytes)
    }

    @Test(arguments: ["Sorting", "Measuring"])
    func `sorting and measuring can be cancelled`(_ step: String) {
        #expect(throws: FitError.cancelled) { try Self.vectors(items: 4000).model { !$1.hasPrefix(step) } }
    }

    @Test(arguments: [
        ("lists.probes=10:x", "property lists.probes is not readable"),
        ("lists.probes=100:3 10:2", "property lists.probes is not readable"),
        ("lists.probes=", "property lists.probes is empty"),
    ])
    func `what says how many lists to read must make sense`(_ property: String, _ what: String) throws {
        var file = try TakenApartModel(Self.vectors(items: 2000, users: 50).model().bytes)
        file.properties = file.properties.filter { !$0.hasPrefix("lists.probes=") } + [property]
        #expect(throws: ModelError.damaged(what)) { try Model(opening: ModelBytes(file.encoded())) }
    }

    @Test(arguments: ["sizes", "means", "spreads", "rows", "int8", "scales"])
    func `lists that are not whole are refused`(_ name: String) throws {
        var file = try TakenApartModel(Self.vectors(items: 2000, users: 50).model().bytes)
        let found = file.index(of: "vectors.lists.\(name)")
        let index = try #require(found)
        file.sections[index].bytes.removeLast(64)
        file.sections[index].columns = 1
        file.sections[index].rows = file.sections[index].bytes.count / file.sections[index].type.size
        #expect(throws: ModelError.self) { try Model(opening: ModelBytes(file.encoded())) }
        file.sections.remove(at: index)
        #expect(throws: ModelError.damaged("section vectors.lists.\(name) is missing")) { try Model(opening: ModelBytes(file.encoded())) }
    }

    @Test func `mutated lists are refused or answer within bounds`() throws {
        let bytes = try Self.vectors(items: 2500, users: 40).model().bytes
        #expect(try Model(opening: ModelBytes(bytes)).properties[ListProbes.property] != nil)
        ModelFuzzTests.expectBounds(bytes, mutations: 200)
    }

    @Test func `deeper requests read what was measured for them`() throws {
        let probes = ListProbes(steps: [.init(depth: 10, lists: 3), .init(depth: 100, lists: 8)])
        #expect([1, 10, 10.5, 100].map { probes.lists(depth: $0) } == [3, 3, 8, 8])
        #expect(probes.lists(depth: 101) == nil && probes.lists(depth: .infinity) == nil)
        #expect(try ListProbes(["lists.probes": probes.text]) == probes)
    }

    @Test func `numbers of lists that are tried rise to all`() {
        for count in [1, 2, 7, 2000] {
            let grid = ProbeSelection.grid(count)
            #expect(grid.first == 1 && grid.last == count && grid == Array(Set(grid)).sorted())
        }
    }
}
