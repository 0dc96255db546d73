import Feeds
import Testing

private func guess(_ name: String, _ text: String) throws -> ColumnGuess {
    try ColumnGuess(fileName: name, sample: Array(text.utf8))
}

private func roles(_ guess: ColumnGuess) -> [ColumnRole] { guess.columns.map(\.role) }

@Test func `MovieLens ratings become interactions with values`() throws {
    let found = try guess("ratings.csv", "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,3,4.0,964981247\n")
    #expect(found.kind == .interactions)
    #expect(found.layout == .movieLens)
    #expect(roles(found) == [.user, .item, .eventValue, .timestamp])
    #expect(found.schema?.columns.map(\.name) == ["USER_ID", "ITEM_ID", "EVENT_VALUE", "TIMESTAMP"])
    #expect(found.preview.map(\.eventValue) == [4, 4])
    #expect(found.preview.first?.userID == Array("1".utf8))
    #expect(found.problem == nil)
}

@Test func `MovieLens movies become items with genres as a list`() throws {
    let found = try guess(
        "movies.csv",
        "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n2,\"American President, The (1995)\",Comedy|Drama\n3,Heat (1995),Action\n"
    )
    #expect(found.kind == .items)
    #expect(found.layout == .movieLens)
    #expect(roles(found) == [.item, .title, .category])
    #expect(found.schema?.column(named: "GENRES")?.isCategorical == true)
    #expect(found.schema?.column(named: "TITLE")?.isItemName == true)
    #expect(found.preview[1].others == [.string("American President, The (1995)"), .string("Comedy|Drama")])
}

@Test func `RetailRocket's milliseconds are converted and its transaction ids left out`() throws {
    let found = try guess(
        "events.csv",
        "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n1433224214164,992329,view,248676,4000\n")
    #expect(found.layout == .retailRocket)
    #expect(roles(found) == [.timestamp, .user, .eventType, .item, .ignored])
    #expect(found.columns[0].dateFormat == .epochMilliseconds)
    #expect(found.preview.map(\.timestamp) == [1_433_221_332, 1_433_224_214])
}

@Test(arguments: [(1, true), (2, true), (3, false)])
func `a column named for a time may hold something else in a tenth of its rows`(_ strays: Int, _ isTime: Bool) throws {
    let rows = (0..<20).map { "u\($0 % 3),i\($0),\($0 < strays ? "yesterday" : "17000000\($0 + 10)")" }
    let found = try guess("events.csv", "USER_ID,ITEM_ID,TIMESTAMP\n" + rows.joined(separator: "\n") + "\n")
    #expect((found.problem == nil) == isTime)
    guard isTime else { return }
    #expect(found.columns[2].reason.hasSuffix("Rows that hold something else are refused: \(strays) of the first 20."))
    #expect(found.preview.count + found.rejected.count >= 10 && found.rejected.count == strays)
    #expect(found.rejected.allSatisfy { $0.description.contains("TIMESTAMP") })
}

@Test func `the names of Personalize are taken as they are`() throws {
    let found = try guess(
        "interactions.csv",
        "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,DEVICE\n1,2,1000000000,rate,8.0,phone\n3,2,1000000009,watch,,phone\n")
    #expect(found.layout == .personalize)
    #expect(found.schema?.columns.map(\.name) == ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "DEVICE"])
    #expect(found.schema?.column(named: "DEVICE")?.isCategorical == true)
    #expect(found.rejected.isEmpty)
}

@Test func `a shop's export with semicolons and dates is understood`() throws {
    let found = try guess(
        "orders.csv", "customer_id;sku;order date;quantity\nC1;A-1;2026-11-21 10:46:57;2\nC2;A-2;2026-11-21T10:46:58Z;1\n")
    #expect(found.delimiter == UInt8(ascii: ";"))
    #expect(found.kind == .interactions)
    #expect(roles(found) == [.user, .item, .timestamp, .eventValue])
    #expect(found.preview.map(\.timestamp) == [1_795_258_017, 1_795_258_018])
}

@Test func `a tab separated merchant feed is known`() throws {
    let found = try guess(
        "feed.txt",
        "id\ttitle\tdescription\tlink\timage_link\tprice\nP-1\tMug\tA <b>mug</b>\thttps://shop.example/1\thttps://shop.example/1.jpg\t19.50 EUR\n"
    )
    #expect(found.delimiter == 0x09)
    #expect(found.layout == .merchantFeed)
    #expect(roles(found) == [.item, .title, .description, .link, .image, .price])
}

@Test func `users are known by their id or by the file's name`() throws {
    #expect(try guess("x.csv", "user_id,age,gender\n1,24,M\n2,53,F\n3,23,M\n").kind == .users)
    let found = try guess("customers.csv", "id,age,gender\n1,24,M\n2,53,F\n3,23,M\n4,24,M\n")
    #expect(found.kind == .users)
    #expect(found.schema?.column(named: "AGE")?.type == .long)
    #expect(found.schema?.column(named: "GENDER")?.isCategorical == true)
}

@Test func `events without a time have no schema and say why`() throws {
    let found = try guess("x.csv", "user,item\n1,2\n")
    #expect(found.schema == nil)
    #expect(found.problem == "No column holds the time of the event.")
}

@Test func `actions and responses to them are known by Personalize's names`() throws {
    let actions = try guess(
        "actions.csv",
        "ACTION_ID,KIND,VALUE,EXPIRATION_TIMESTAMP,REPEAT_FREQUENCY\nenroll,app,,,\nupgrade,plan,5,,\nrefer,app,,,10\n")
    #expect(actions.kind == .actions && actions.problem == nil)
    // A reserved column is kept although the sample holds no value of it.
    #expect(actions.schema?.columns.map(\.name) == ["ACTION_ID", "KIND", "VALUE", "EXPIRATION_TIMESTAMP", "REPEAT_FREQUENCY"])
    #expect(actions.schema?.column(named: "EXPIRATION_TIMESTAMP")?.type == .long)
    let responses = try guess(
        "responses.csv", "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\nu1,enroll,Taken,1790000000\nu2,enroll,Clicked,1790000001\n")
    #expect(responses.kind == .actionInteractions && responses.problem == nil)
    #expect(responses.preview.count == 1 && responses.rejected.map(\.line) == [3])
}

@Test func `every column of every guess has a reason`() throws {
    let found = try guess(
        "items.csv",
        "ITEM_ID,TITLE,releaseYear,flag,note,brandId,empty,created_at\n1,A,1999,true,abc def,7,,2026-11-21\n2,B,2001,false,ghi jkl,7,,2026-11-22\n3,B,2001,false,mno,7,,2026-11-22\n"
    )
    for column in found.columns { #expect(!column.reason.isEmpty, "\(column.header)") }
    #expect(found.schema?.column(named: "RELEASE_YEAR")?.type == .long)
    #expect(found.schema?.column(named: "FLAG")?.type == .boolean)
    #expect(found.schema?.column(named: "BRAND_ID")?.isCategorical == true)
    #expect(found.schema?.column(named: "CREATION_TIMESTAMP") != nil)
    #expect(found.preview.count == 3)
}

@Test func `more own columns than the contract allows are left out with a reason`() throws {
    let header = "USER_ID,ITEM_ID,TIMESTAMP," + (1...7).map { "c\($0)" }.joined(separator: ",")
    let found = try guess("x.csv", header + "\nu,i,1000000000,1,2,3,4,5,6,7\n")
    #expect(found.schema?.columns.count == 8)
    #expect(roles(found).suffix(2) == [.ignored, .ignored])
}

@Test func `no mutation of a sample crashes the guessing`() {
    var random = SeededGenerator(seed: 11)
    let sample = Array("userId,movieId,rating,timestamp,title\n1,1,4.0,964982703,\"a b\"\n1,3,4.0,2026-11-21,c|d\n".utf8)
    for _ in 0..<1_000 {
        var bytes = sample
        for _ in 0..<6 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
        if let found = try? ColumnGuess(fileName: "x", sample: bytes) { #expect(found.columns.count > 0) }
    }
}
