import Foundation
import Web

/// A small FastCGI program for the tests of the server: it listens on descriptor 0, as a worker does.
@main
struct WebFixture {
    struct Failure: Error {}

    struct Context {
        var answered = 0
    }

    static func main() {
        FastCGIServer.blockStopSignals()
        let arguments = CommandLine.arguments
        var settings = FastCGIServer.Settings(threads: arguments.count > 1 ? Int(arguments[1]) ?? 4 : 4)
        settings.drainDeadline = .milliseconds(arguments.count > 2 ? Int(arguments[2]) ?? 5000 : 5000)
        let isLogging = arguments.contains("log")
        let observer = isLogging ? RequestObserver(makeReporter: { _ in { Self.log($0) } }) : RequestObserver()
        exit(serve(settings, observer))
    }

    nonisolated static func serve(_ settings: FastCGIServer.Settings, _ observer: RequestObserver) -> Int32 {
        let router = table()
        do {
            let ending = try FastCGIServer(settings).run(observer: observer) { thread in
                var context = Context()
                thread.serve { request in router.handle(request, &context) }
            }
            switch ending {
            case .drained: return 0
            case .deadline: return 3
            case .socketClosed: return 4
            }
        } catch {
            return 5
        }
    }

    nonisolated static func log(_ record: RequestObserver.Record) {
        FileHandle.standardError.write(Data("\(record.requestID) \(record.route) \(record.status) \(record.microseconds)\n".utf8))
    }

    nonisolated static func table() -> Router<Context, Void> {
        let fixed = Array("{\"items\":\"\(String(repeating: "x", count: 2079))\"}".utf8)
        return Router(
            [
                Route(.get, "/fixed", access: ()) { _, _ in .json(fixed) },
                Route(.get, "/count", access: ()) { context, _ in
                    context.answered += 1
                    return .text("\(context.answered)")
                },
                Route(.post, "/echo", access: (), body: .whole(limit: 4 << 20)) { _, request in
                    Response(.ok, contentType: "application/octet-stream", body: request.body)
                },
                Route(.post, "/ignore", access: (), body: .streamed(limit: 64 << 20)) { _, _ in .text("ignored") },
                Route(.post, "/first", access: (), body: .streamed(limit: 64 << 20)) { _, request in
                    .text(String(decoding: try request.bodyReader.read(upTo: 3), as: UTF8.self))
                },
                Route(.get, "/sleep/{milliseconds}", access: ()) { _, request in
                    usleep((UInt32(request.pathValue("milliseconds") ?? "") ?? 0) * 1000)
                    return .text("slept")
                },
                Route(.get, "/large/{bytes}", access: ()) { _, request in
                    .text(String(repeating: "y", count: Int(request.pathValue("bytes") ?? "") ?? 0))
                },
                Route(.get, "/throw", access: ()) { _, _ in throw Failure() },
                Route(.get, "/empty", access: ()) { _, _ in .empty() },
            ],
            gate: { _, _, _ in nil })
    }
}
