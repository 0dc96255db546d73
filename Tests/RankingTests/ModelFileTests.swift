import Foundation
import Testing

@testable import Ranking

@Suite struct ModelFileTests {
    let planted = PlantedData()

    @Test(arguments: RecipeName.fits)
    func `a model tells what it is`(_ recipe: RecipeName) throws {
        let model = try planted.model(recipe)
        #expect(model.recipe == recipe)
        #expect(model.seed == 1)
        #expect(model.createdAt == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(model.itemIDs == (0..<Int32(planted.itemCount)).map { $0 })
        #expect(model.eventTypeNames == ["view", "purchase"])
        #expect(model.sections.allSatisfy { $0.offset % 64 == 0 && !$0.name.isEmpty })
        #expect(model.sections.contains { $0.name == "popularity.users" && $0.type == .float32 && $0.rows == planted.itemCount })
        #expect(model.distinctUsers(ofRow: Int(planted.trap)) == planted.blocks * planted.usersPerBlock)
    }

    @Test func `the pieces that are handed over make up the file`() throws {
        let fitted = try planted.fitted(.sims)
        var pieces: [UInt8] = []
        fitted.write(chunkBytes: 1000) { pieces += $0 }
        #expect(pieces == fitted.bytes)
    }

    @Test(arguments: RecipeName.fits)
    func `two hundred damaged copies are refused, and without the checksum never crash`(_ recipe: RecipeName) throws {
        let bytes = try planted.fitted(recipe).bytes
        var random = Xorshift(state: 77)
        for round in 0..<200 {
            var damaged = bytes
            // Half of the rounds aim at the header, the section table and the properties.
            let bound = round % 2 == 0 ? bytes.count : min(bytes.count, 4096)
            for _ in 0..<1 + random.below(3) { damaged[random.below(bound)] ^= UInt8(1 + random.below(255)) }
            let memory = ModelBytes(damaged)
            if damaged != bytes { #expect(throws: ModelError.self) { try Model(opening: memory) } }
            guard let model = try? Model(opening: memory, verifyingChecksum: false) else { continue }
            var request = planted.request()
            request.explain = true
            #expect(model.rank(request).items.count <= request.count)
            request.candidates = [0, 5, 90, 12_345]
            #expect(model.rank(request).items.count <= 4)
        }
    }

    @Test(arguments: RecipeName.fits)
    func `sections full of nonsense never crash an answer`(_ recipe: RecipeName) throws {
        let bytes = try planted.fitted(recipe).bytes
        let sections = try Model(opening: ModelBytes(bytes)).sections
        for section in sections where section.name != "properties" {
            for filling: UInt8 in [0x00, 0x7f, 0x80, 0xff] {
                var damaged = bytes
                for index in section.offset..<section.offset + section.byteCount { damaged[index] = filling }
                guard let model = try? Model(opening: ModelBytes(damaged), verifyingChecksum: false) else { continue }
                var request = planted.request(count: 200)
                request.explain = true
                #expect(model.rank(request).items.count <= 200)
            }
        }
    }

    @Test(arguments: [0, 1, 63, 64, 100, 1000])
    func `a cut file is refused`(_ length: Int) throws {
        let bytes = try planted.fitted(.popularityCount).bytes
        let error = #expect(throws: ModelError.self) { try Model(opening: ModelBytes(Array(bytes.prefix(length)))) }
        let expected: ModelError = length < 64 ? .foreign : .truncated(expectedBytes: bytes.count, actualBytes: length)
        #expect(error == expected)
    }

    @Test func `a foreign file is refused with a sentence`() {
        let error = #expect(throws: ModelError.self) { try Model(opening: ModelBytes([UInt8](repeating: 65, count: 5000))) }
        #expect(error?.message == "The file is not a Tastemaker model.")
    }

    @Test func `a later format is refused with its number`() throws {
        var bytes = try planted.fitted(.popularityCount).bytes
        bytes[8] = 9
        #expect(throws: ModelError.unsupportedVersion(9)) { try Model(opening: ModelBytes(bytes)) }
    }

    @Test func `a single flipped bit fails the checksum`() throws {
        var bytes = try planted.fitted(.popularityCount).bytes
        bytes[bytes.count - 200] ^= 4
        #expect(throws: ModelError.damaged("its checksum does not match")) { try Model(opening: ModelBytes(bytes)) }
        let unchecked = try Model(opening: ModelBytes(bytes), verifyingChecksum: false)
        #expect(throws: ModelError.self) { try unchecked.verifyChecksum() }
    }
}
