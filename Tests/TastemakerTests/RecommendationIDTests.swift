import Postgres
import Tastemaker
import Testing

struct RecommendationIDTests {
    let key: [UInt8] = Array(repeating: 7, count: 32)

    @Test func `an id of forty characters gives back what went in`() throws {
        for _ in 0..<500 {
            let id = RecommendationID(
                at: PGTimestamp(microseconds: .random(in: 0...4_000_000_000_000_000)), placementID: .random(in: 0..<(1 << 20)),
                armID: .random(in: 0..<(1 << 20)), campaignID: .random(in: 0..<(1 << 24)), random: .random(in: 0..<(1 << 21)))
            let text = id.text(key: key)
            #expect(text.utf8.count == 40)
            #expect(RecommendationID(verifying: text, key: key) == id)
        }
    }

    @Test func `no single changed character verifies`() {
        let text = RecommendationID(at: PGTimestamp(seconds: 1_800_000_000), placementID: 3, armID: 4, campaignID: 5, random: 6).text(
            key: key)
        for position in 4..<40 {
            var bytes = Array(text.utf8)
            bytes[position] = bytes[position] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            let changed = String(decoding: bytes, as: UTF8.self)
            #expect(changed == text || RecommendationID(verifying: changed, key: key) == nil)
        }
    }

    @Test(arguments: ["", "RID-", "RID-08-4dd7-8b03-285b8b5df2cf-CID-c36cda", "é"])
    func `an id from elsewhere is not ours`(text: String) {
        #expect(RecommendationID(verifying: text, key: key) == nil)
    }
}

struct PackedHistoryTests {
    @Test func `what is packed is unpacked`() {
        let events = (0..<200).map { RecentEvent(item: Int32($0 * 7919), seconds: .max - UInt32($0), eventType: UInt8($0 % 256)) }
        #expect(PackedHistory.unpack(PackedHistory.pack(events)) == events)
        #expect(PackedHistory.pack(events).count == 1800)
    }

    @Test func `events of one second keep the order of arrival`() {
        let old = [RecentEvent(item: 1, seconds: 10, eventType: 0)]
        let new = [RecentEvent(item: 2, seconds: 10, eventType: 0), RecentEvent(item: 3, seconds: 9, eventType: 0)]
        #expect(PackedHistory.merging(old, with: new).map(\.item) == [3, 1, 2])
    }

    @Test func `a hundred of a type stay, the newest`() {
        let events = (0..<150).map { RecentEvent(item: Int32($0), seconds: UInt32($0), eventType: 0) }
        #expect(PackedHistory.merging([], with: events).map(\.item) == (50..<150).map { Int32($0) })
    }

    @Test func `rare types outlive frequent ones`() {
        let purchases = (0..<5).map { RecentEvent(item: Int32($0), seconds: UInt32($0), eventType: 9) }
        let views = (0..<600).map { RecentEvent(item: 1000, seconds: UInt32(100 + $0), eventType: UInt8($0 % 3)) }
        let merged = PackedHistory.merging(purchases, with: views)
        #expect(merged.count == 200)
        #expect(merged.filter { $0.eventType == 9 }.count == 5)
    }
}
