/// The request methods that a route can name. Others are answered 405.
public enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"

    /// Methods that change nothing, and so need no token against forged requests.
    public var isSafe: Bool {
        self == .get || self == .head || self == .options
    }

    init?(_ name: UnsafeBufferPointer<UInt8>) {
        for method in Self.allCases where name.elementsEqual(method.rawValue.utf8) {
            self = method
            return
        }
        return nil
    }
}
