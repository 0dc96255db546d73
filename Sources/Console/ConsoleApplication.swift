import Crypto
import Logging
public import Tastemaker
public import Web

/// The console and the demo shop as one table of routes.
public struct ConsoleApplication: Sendable {
    public let router: Router<ConsoleContext, Access>
    private let services: Services
    private let shared: ConsoleShared

    /// Reads all templates: a mistake in one is found here and not by a visitor.
    public init(services: Services, templatesFolder: String, version: String, routes: [ConsoleRoute] = ConsoleRoutes.all) throws {
        let templates = try TemplateLibrary(folder: templatesFolder)
        let shared = ConsoleShared(environment: services.environment, templates: templates, version: version)
        self.services = services
        self.shared = shared
        router = Router(
            routes, failure: { error, request, _ in ErrorPage.response(to: error, request, shared) },
            gate: { context, request, route in try Gate.judge(&context, request, route) })
    }

    /// One for each thread.
    public func makeContext() -> ConsoleContext {
        ConsoleContext(services: services, shared: shared)
    }

    /// Answers in process, for tests.
    public func handle(_ request: Request) -> RoutedResponse {
        var context = makeContext()
        return router.handle(request, &context)
    }
}
