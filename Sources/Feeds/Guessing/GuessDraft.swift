/// The guessing itself: first roles by name, then the kind of dataset, then roles by values, then a schema column for each.
struct GuessDraft {
    let fileName: String
    let sample: FileSample
    var columns: [ColumnGuess.Column]
    var kind = DatasetKind.items
    var layout = ColumnGuess.Layout.other
    var reason = ""
    var problem: String?

    init(fileName: String, sample: FileSample) {
        self.fileName = ColumnRole.folded(fileName)
        self.sample = sample
        columns = zip(sample.header, sample.profiles).map { header, profile in
            ColumnGuess.Column(header: header, role: .other, reason: "", example: profile.example)
        }
    }

    mutating func run() {
        nameRoles()
        chooseKind()
        dropForeignRoles()
        explainNames()
        findMoment()
        chooseLayout()
        for index in columns.indices { propose(index) }
        keepWithinLimits()
        if kind == .interactions, index(of: .timestamp) == nil { problem = "No column holds the time of the event." }
    }

    func index(of role: ColumnRole) -> Int? { columns.firstIndex { $0.role == role } }

    private mutating func assign(_ role: ColumnRole, to index: Int, _ reason: String) {
        columns[index].role = role
        columns[index].reason = reason
    }

    /// Each role goes to the free column with the most telling name.
    private mutating func nameRoles() {
        let folded = sample.header.map(ColumnRole.folded)
        for (role, names) in ColumnRole.names {
            for name in names {
                guard let index = folded.indices.first(where: { folded[$0] == name && columns[$0].role == .other }) else { continue }
                assign(role, to: index, "")
                break
            }
        }
    }

    /// Why the columns have their roles, where nothing else was said; known only when it is clear what a row is.
    private mutating func explainNames() {
        for index in columns.indices where columns[index].role != .other && columns[index].reason.isEmpty {
            columns[index].reason = "The name \(sample.header[index]) is usual for \(phrase(columns[index].role))."
        }
    }

    private func phrase(_ role: ColumnRole) -> String {
        let thing = kind == .actions || kind == .actionInteractions ? "action" : "item"
        return switch role {
        case .user: "the user's id"
        case .item: "the item's id"
        case .action: "the action's id"
        case .timestamp: "the time of an event"
        case .eventType: "the type of an event"
        case .eventValue: "the value of an event"
        case .title: "a title"
        case .description: "a description"
        case .link: "the address of the \(thing)'s page"
        case .image: "the address of a picture"
        case .price: "a price"
        case .category: "a category"
        case .creation: "the day the \(thing) came out"
        case .other, .ignored: "other data"
        }
    }

    private mutating func chooseKind() {
        let user = index(of: .user), item = index(of: .item), action = index(of: .action)
        switch (user, item, action) {
        case (.some, _, .some): (kind, reason) = (.actionInteractions, "Rows name a user and an action.")
        case (nil, _, .some): (kind, reason) = (.actions, "Rows name an action and no user.")
        case (.some, .some, nil): (kind, reason) = (.interactions, "Rows name a user and an item.")
        case (nil, .some, nil): (kind, reason) = (.items, "Rows name an item and no user.")
        case (.some, nil, nil): (kind, reason) = (.users, "Rows name a user and no item.")
        case (nil, nil, nil): chooseKindByID()
        }
    }

    /// A column called `id`, or else the first whose values never repeat, is the id; the file's name tells of what.
    private mutating func chooseKindByID() {
        let isUsers = ["user", "customer", "member", "visitor", "subscriber"].contains { fileName.contains($0) }
        kind = isUsers ? .users : .items
        let named = columns.indices.first { ["id", "gid", "guid", "key"].contains(ColumnRole.folded(columns[$0].header)) }
        let unique = columns.indices.first {
            sample.profiles[$0].isUnique && columns[$0].role == .other && sample.profiles[$0].meanLength <= 64
        }
        guard let index = named ?? unique else {
            reason = "No column looks like an id of a user or an item."
            problem = reason
            return
        }
        let why = named != nil ? "is called \(columns[index].header)" : "never repeats a value in the sample"
        assign(isUsers ? .user : .item, to: index, "The column \(why), so it is the row's id.")
        reason = isUsers ? "The file's name speaks of users." : "Each row has an id of its own and names no user."
    }

    /// A rating in a list of items is a property, a title in a list of events is not needed.
    private mutating func dropForeignRoles() {
        let foreign: Set<ColumnRole> =
            switch kind {
            case .interactions, .actionInteractions: [.title, .description, .link, .image, .price, .category, .creation]
            case .items, .actions: [.eventType, .eventValue, .user]
            case .users: [.eventType, .eventValue, .title, .description, .link, .image, .price, .category, .item]
            }
        for index in columns.indices where foreign.contains(columns[index].role) { assign(.other, to: index, "") }
        guard kind == .items || kind == .users, let moment = index(of: .timestamp) else { return }
        let isFree = index(of: .creation) == nil && kind == .items
        assign(isFree ? .creation : .other, to: moment, isFree ? "A time in a list of items is when the item came out." : "")
    }

    /// Without a known name, the first column of moments is the time; a known name needs values that are moments.
    private mutating func findMoment() {
        let role: ColumnRole = kind == .interactions || kind == .actionInteractions ? .timestamp : .creation
        if index(of: role) == nil, role == .timestamp,
            let found = columns.indices.first(where: { columns[$0].role == .other && sample.profiles[$0].dateFormat != nil })
        {
            assign(role, to: found, "All sampled values are moments.")
        }
        guard let index = index(of: role) else { return }
        let profile = sample.profiles[index]
        guard let format = profile.likelyDateFormat else {
            if profile.filled > 0 { assign(.other, to: index, "The name tells of a time, but the values are not moments.") }
            return
        }
        columns[index].dateFormat = format
        columns[index].reason += " \(Self.phrase(format))"
        if profile.strayDates > 0 {
            columns[index].reason += " Rows that hold something else are refused: \(profile.strayDates) of the first \(profile.filled)."
        }
    }

    private static func phrase(_ format: EventDate.Format) -> String {
        switch format {
        case .epochSeconds: "The values count seconds since 1970."
        case .epochMilliseconds: "The values count milliseconds since 1970."
        case .rfc3339: "The values are dates of the form 2026-11-21 (ISO 8601)."
        case .rfc822: "The values are dates of the form 21 Nov 2026 (RFC 822)."
        }
    }

    private mutating func chooseLayout() {
        let names = Set(sample.header.map(ColumnRole.folded))
        if names.contains("movieid"), names.isSuperset(of: ["userid", "timestamp"]) || names.isSuperset(of: ["title", "genres"]) {
            layout = .movieLens
            reason += " The header is that of a MovieLens file."
        } else if names.isSuperset(of: ["timestamp", "visitorid", "event", "itemid"]) {
            layout = .retailRocket
            reason += " The header is that of a RetailRocket event log."
        } else if names.contains("id"), names.contains("title"), names.contains("link"),
            !names.isDisjoint(with: ["price", "availability", "imagelink"])
        {
            layout = .merchantFeed
            reason += " The header is that of a merchant product feed."
        } else if sample.header.contains("USER_ID") || sample.header.contains("ITEM_ID") || sample.header.contains("ACTION_ID") {
            layout = .personalize
            reason += " The header has the names of Amazon Personalize."
        }
    }
}
