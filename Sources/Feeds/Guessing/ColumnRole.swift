/// What a column of a file is good for.
public enum ColumnRole: String, Sendable, CaseIterable {
    case user, item, action, timestamp, eventType, eventValue, title, description, link, image, price, category, creation, other
    /// Left out of the proposed schema.
    case ignored

    /// Names as files in the wild have them, folded to small letters and digits, most telling first.
    static let names: [(role: ColumnRole, names: [String])] = [
        (
            .user,
            [
                "userid", "visitorid", "customerid", "clientid", "memberid", "buyerid", "accountid", "personid", "reviewerid",
                "subscriberid",
                "userpseudoid", "fullvisitorid", "anonymousid", "user", "visitor", "customer", "uid", "msno", "cookieid", "sessionid",
            ]
        ),
        (
            .item,
            [
                "itemid", "productid", "movieid", "articleid", "contentid", "videoid", "trackid", "songid", "bookid", "animeid", "postid",
                "gameid", "listingid", "businessid", "locationid", "hotelid", "courseid", "recipeid", "sku", "asin", "parentasin", "isbn",
                "item", "product", "movie", "article", "stockcode", "newsid", "itemnumber", "handle",
            ]
        ),
        (.action, ["actionid"]),
        (
            .timestamp,
            [
                "timestamp", "eventtimestamp", "eventtime", "unixtimestamp", "unixreviewtime", "datetime", "occurredat", "time", "date",
                "eventdate", "visitstarttime", "orderdate", "invoicedate", "purchasedate", "ts", "createdat", "viewedat", "reviewtime",
            ]
        ),
        (
            .eventType,
            [
                "eventtype", "eventname", "event", "interactiontype", "interaction", "behaviortype", "behaviour", "behavior", "actiontype",
                "action", "activity", "type",
            ]
        ),
        (
            .eventValue,
            [
                "eventvalue", "rating", "score", "stars", "overall", "value", "weight", "playtime", "watchtime", "dwelltime", "quantity",
                "qty",
            ]
        ),
        (.title, ["title", "name", "productname", "itemname", "producttitle", "movietitle", "booktitle", "headline"]),
        (.description, ["description", "productdescription", "overview", "summary", "body", "abstract", "bodyhtml", "synopsis"]),
        (
            .image,
            [
                "imagelink", "imageurl", "image", "imagesrc", "img", "imgurl", "poster", "posterurl", "thumbnail", "thumbnailurl",
                "picture",
            ]
        ),
        (.link, ["link", "url", "producturl", "href", "permalink", "itemurl"]),
        (.price, ["price", "unitprice", "listprice", "retailprice", "variantprice"]),
        (
            .category,
            [
                "category", "categories", "genres", "genre", "producttype", "categoryl1", "categoryid", "categorycode", "department",
                "productcategory", "googleproductcategory", "section", "topic", "topics",
            ]
        ),
        (
            .creation,
            [
                "creationtimestamp", "createdat", "releasedate", "publishedat", "publicationdate", "published", "dateadded", "pubdate",
            ]
        ),
    ]

    /// Small letters and digits only: `movieId`, `MOVIE_ID` and `movie id` are one name.
    static func folded(_ name: String) -> String {
        String(decoding: name.lowercased().utf8.filter { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }, as: UTF8.self)
    }

    /// The column's name in a schema: `releaseYear` and `release year` become RELEASE_YEAR.
    static func schemaName(_ header: String) -> String {
        var name: [UInt8] = []
        var previousIsSmall = false
        for byte in header.utf8 {
            let isCapital = (0x41...0x5A).contains(byte)
            let isSmall = (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            if isCapital, previousIsSmall { name.append(UInt8(ascii: "_")) }
            if isCapital || (0x30...0x39).contains(byte) {
                name.append(byte)
            } else if isSmall {
                name.append(byte - 0x20)
            } else if name.last != UInt8(ascii: "_"), !name.isEmpty {
                name.append(UInt8(ascii: "_"))
            }
            previousIsSmall = isSmall
        }
        while name.last == UInt8(ascii: "_") { name.removeLast() }
        return String(decoding: name.prefix(64), as: UTF8.self)
    }
}
