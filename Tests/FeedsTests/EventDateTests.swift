import Feeds
import Testing

private let moments: [(String, Int64, Int32, EventDate.Format)] = [
    ("0", 0, 0, .epochSeconds), ("964982703", 964_982_703, 0, .epochSeconds), ("1600000000.25", 1_600_000_000, 250_000_000, .epochSeconds),
    ("-1.5", -2, 500_000_000, .epochSeconds), ("1433221332117", 1_433_221_332, 117_000_000, .epochMilliseconds),
    ("-100000000001", -100_000_001, 999_000_000, .epochMilliseconds), ("2026-11-21T10:46:57Z", 1_795_258_017, 0, .rfc3339),
    ("2026-11-21t10:46:57.5z", 1_795_258_017, 500_000_000, .rfc3339),
    ("2026-11-21T10:46:57.123456789+01:00", 1_795_254_417, 123_456_789, .rfc3339),
    ("2019-11-24 00:00:34.762830+00:00", 1_574_553_634, 762_830_000, .rfc3339), ("2026-11-21 10:46:57 UTC", 1_795_258_017, 0, .rfc3339),
    ("2026-11-21T10:46:57-0730", 1_795_285_017, 0, .rfc3339), ("2000-02-29", 951_782_400, 0, .rfc3339),
    ("2016-12-31T23:59:60Z", 1_483_228_799, 0, .rfc3339),
    ("0001-01-01T00:00:00Z", -62_135_596_800, 0, .rfc3339), ("9999-12-31T23:59:59Z", 253_402_300_799, 0, .rfc3339),
    ("Sat, 21 Nov 2026 10:46:57 GMT", 1_795_258_017, 0, .rfc822), ("21 Nov 2026 10:46 +0100", 1_795_254_360, 0, .rfc822),
    ("Sun, 06 Nov 94 08:49:37 EST", 784_129_777, 0, .rfc822), (" 2026-11-21 ", 1_795_219_200, 0, .rfc3339),
]

@Test(arguments: moments) func `a moment is read however it is written`(
    text: String, seconds: Int64, nanoseconds: Int32, format: EventDate.Format
) throws {
    let found = try #require(EventDate.parse(Array(text.utf8)))
    #expect(found.date == EventDate(seconds: seconds, nanoseconds: nanoseconds))
    #expect(found.format == format)
}

@Test(arguments: [
    "", " ", "soon", "2026-02-29", "2026-13-01", "2026-00-10", "2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z", "2026-11-21T10:46:57.Z",
    "2026-11-21T10:46:57.1234567890Z", "2026-11-21T10:46:57+24:00", "2026-11-21T10:46:57Zx", "2026-11-21Tx", "1.", "--1", "1e9",
    "12345678901234567",
    "999999999999999", "31 Feb 2026 10:00 GMT", "Sat, 21 Nov 2026 10:46:57 XYZ", "21 Nov 2026", "0x10", "٣",
])
func `what is not a moment is refused`(text: String) {
    #expect(EventDate(parsing: text) == nil)
}
