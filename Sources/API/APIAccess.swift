/// What a route of the API asks of its caller. The gate judges it; no handler runs before.
public enum APIAccess: Sendable, Equatable {
    /// A request signed with an AWS key, answered in one of the two AWS forms.
    case aws(WireStyle)
    /// A bearer key of our own with this scope.
    case apiKey(scope: String)
    /// Anyone: the handler checks the tracker's public key, which is in the request.
    case tracker
    /// A bearer key with this scope; without one the handler checks the tracker's public key.
    case trackerOrKey(scope: String)
    /// The machine itself, or a bearer key with this scope.
    case loopbackOrKey(scope: String)
    case open

    /// How errors look on the wire.
    var style: WireStyle {
        switch self {
        case .aws(let style): style
        case .apiKey, .tracker, .trackerOrKey, .loopbackOrKey, .open: .plain
        }
    }
}

/// The forms of answers and errors.
public enum WireStyle: Sendable, Equatable {
    /// awsJson1.1: the control plane.
    case control
    /// restJson1: runtime and events.
    case rest
    /// Our own JSON API: errors carry the status that HTTP has for them.
    case plain

    var contentType: String {
        switch self {
        case .control: "application/x-amz-json-1.1"
        case .rest, .plain: "application/json"
        }
    }
}
