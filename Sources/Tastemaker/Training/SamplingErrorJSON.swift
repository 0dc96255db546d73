import JSON
import Ranking

extension SamplingError {
    var json: JSONValue { ["standardError": .double(standardError), "users": .integer(Int64(userCount))] }

    init?(json: JSONValue) {
        guard let standardError = json["standardError"]?.doubleValue, let users = json["users"]?.intValue else { return nil }
        self.init(standardError: standardError, userCount: Int(clamping: users))
    }
}
