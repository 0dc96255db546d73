import JSON
import Tastemaker

/// Members of answers. One that is nil is left out: clients test for presence, and a null is no absence to all of them.
extension JSONWriter {
    mutating func member(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    mutating func member(_ name: StaticString, _ value: Bool?) {
        guard let value else { return }
        key(name)
        bool(value)
    }

    mutating func member(_ name: StaticString, integer value: Int64?) {
        guard let value else { return }
        key(name)
        integer(value)
    }

    mutating func member(_ name: StaticString, number value: Double?, decimals: Int? = nil) {
        guard let value else { return }
        key(name)
        double(value, decimals: decimals)
    }

    mutating func member(_ name: StaticString, json value: JSONValue?) {
        guard let value else { return }
        key(name)
        self.value(value)
    }

    /// Epoch seconds with milliseconds.
    mutating func member(_ name: StaticString, _ value: Moment?) {
        guard let value else { return }
        key(name)
        double(value.epochSeconds)
    }

    mutating func object(_ name: StaticString, _ write: (inout JSONWriter) -> Void) {
        key(name)
        object(write)
    }

    mutating func object(_ write: (inout JSONWriter) -> Void) {
        beginObject()
        write(&self)
        endObject()
    }

    mutating func list<T>(_ name: StaticString, _ values: some Sequence<T>, _ write: (inout JSONWriter, T) -> Void) {
        key(name)
        beginArray()
        for value in values { object { write(&$0, value) } }
        endArray()
    }

    /// A page of a List operation: the list under its name, and the token unless it is the last page.
    mutating func page<T>(_ name: StaticString, _ page: Page<T>, _ write: (inout JSONWriter, T) -> Void) {
        list(name, page.items, write)
        member("nextToken", page.nextToken)
    }

    /// What every resource ends with.
    mutating func lifecycle(status: String, failureReason: String? = nil, created: Moment, updated: Moment) {
        member("status", status)
        member("failureReason", failureReason)
        dates(created, updated)
    }

    mutating func dates(_ created: Moment, _ updated: Moment) {
        member("creationDateTime", created)
        member("lastUpdatedDateTime", updated)
    }
}
