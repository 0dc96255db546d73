import FilterLanguage
public import JSON

/// Our own options of a campaign, beyond the contract: how its lists are put in order anew.
public struct CampaignOptions: Sendable, Equatable {
    /// At most so many items of a list share one value of a column.
    public struct Cap: Sendable, Equatable {
        public var column: String
        public var most: Int

        public init(column: String, most: Int) {
            self.column = column
            self.most = most
        }
    }

    public static let capLimit = 5
    public static let none = CampaignOptions()

    /// Share of relevance against variety, 0...1; 1: no variety.
    public var lambda = 1.0
    /// Items are alike by this column of Items; nil: by the model's item vectors.
    public var likenessColumn: String?
    public var caps: [Cap] = []
    /// A number of Items, such as PRICE or MARGIN, with its weight of −1...1.
    public var valueColumn: String?
    public var valueWeight = 0.0

    public init() {}

    /// Whether lists stay as the model and the promotions make them.
    public var isNone: Bool { lambda >= 1 && caps.isEmpty && valueWeight == 0 }
}

extension CampaignOptions {
    /// Reads the form in which /v1 takes them: `{"diversity": {"lambda": 0.7, "column": "CATEGORY"}, "caps": [{"column": "BRAND",
    /// "most": 2}], "value": {"column": "PRICE", "weight": 0.2}}`, every member optional.
    public init(_ json: JSONValue) throws(OperationError) {
        guard let object = json.objectValue else { throw .invalidInput("The options must be an object.", field: "options") }
        for member in object.members where !["diversity", "caps", "value"].contains(member.name) {
            throw .invalidInput("'\(member.name)' is not one of diversity, caps, value.", field: member.name)
        }
        let members = InputMembers(object)
        if let diversity = try members.members("diversity") {
            lambda = try Check.required(try diversity.double("lambda"), field: "diversity.lambda")
            try Check.range(lambda, 0...1, field: "diversity.lambda")
            likenessColumn = try diversity.string("column")
        }
        for (index, cap) in (try members.list("caps", count: 0...CampaignOptions.capLimit) ?? []).enumerated() {
            let most = try Check.required(try cap.int("most"), field: "caps.\(index).most")
            try Check.range(most, 1...500, field: "caps.\(index).most")
            caps.append(Cap(column: try Check.required(try cap.string("column"), field: "caps.\(index).column"), most: most))
        }
        if let value = try members.members("value") {
            valueWeight = try Check.required(try value.double("weight"), field: "value.weight")
            try Check.range(valueWeight, -1...1, field: "value.weight")
            valueColumn = try Check.required(try value.string("column"), field: "value.column")
        }
    }

    public var json: JSONValue {
        var object = JSONObject()
        if lambda < 1 {
            var diversity: JSONObject = ["lambda": .double(lambda)]
            if let likenessColumn { diversity["column"] = .string(likenessColumn) }
            object["diversity"] = .object(diversity)
        }
        if !caps.isEmpty {
            object["caps"] = .array(caps.map { ["column": .string($0.column), "most": .integer(Int64($0.most))] })
        }
        if let valueColumn, valueWeight != 0 {
            object["value"] = ["column": .string(valueColumn), "weight": .double(valueWeight)]
        }
        return .object(object)
    }

    /// The options with the columns as the schema of Items spells them.
    func checked(against schema: CatalogueSchema) throws(OperationError) -> CampaignOptions {
        var options = self
        func find(_ name: String, isNumber: Bool, field: String) throws(OperationError) -> String {
            guard let column = schema.definitions.first(where: { $0.name.uppercased() == name.uppercased() }) else {
                throw .invalidInput("Items have no column '\(name)'.", field: field)
            }
            guard (column.kind == .number) == isNumber else {
                throw .invalidInput("The column \(column.name) must be \(isNumber ? "a number" : "a text").", field: field)
            }
            return column.name
        }
        if let name = likenessColumn { options.likenessColumn = try find(name, isNumber: false, field: "diversity.column") }
        for index in caps.indices {
            options.caps[index].column = try find(caps[index].column, isNumber: false, field: "caps.\(index).column")
        }
        if let name = valueColumn { options.valueColumn = try find(name, isNumber: true, field: "value.column") }
        return options
    }

    /// What they do, in words; empty for none.
    public var sentence: String {
        var parts: [String] = []
        if lambda < 1 {
            let share = CampaignOptions.text(1 - lambda)
            parts.append("variety \(share) by \(likenessColumn.map { "the column \($0)" } ?? "the model's item vectors")")
        }
        parts += caps.map { "at most \($0.most) of one \($0.column)" }
        if let valueColumn, valueWeight != 0 {
            parts.append("\(valueWeight > 0 ? "high" : "low") \(valueColumn) by \(CampaignOptions.text(abs(valueWeight)))")
        }
        return parts.joined(separator: ", ")
    }

    /// Two decimals at most.
    private static func text(_ number: Double) -> String { "\((number * 100).rounded() / 100)" }
}
