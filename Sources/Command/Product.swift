import API
import Console
import Logging
import Tastemaker
import Web

extension WorkerProgram {
    /// What this product answers in the processes of a pool.
    static func product(_ pool: WorkerPool, _ settings: LaunchSettings) throws -> WorkerProgram {
        let environment = try Environment.open(settings, connections: pool.connections)
        let services = Services(
            environment: environment, events: EventWriter(environment: environment),
            recommendations: RecommendationService(environment: environment))
        let metrics = Metrics.product(settings)
        switch pool {
        case .api, .events:
            let server = APIServer()
            return WorkerProgram(
                serve: { thread in
                    var context = APIContext(services: services, metrics: metrics)
                    thread.serve { server.handle($0, &context) }
                }, observer: .counting(metrics, threads: pool.threads), end: { services.recommendations.close() })
        case .console:
            let console = try ConsoleApplication(
                services: services, templatesFolder: settings.resources + "/Templates", version: TastemakerCommand.version)
            return WorkerProgram(
                serve: { thread in
                    var context = console.makeContext()
                    thread.serve { console.router.handle($0, &context) }
                }, observer: .counting(metrics, threads: pool.threads), end: { services.recommendations.close() })
        }
    }
}

extension WorkerPool {
    /// Database connections of one process: fewer than threads, taken only while a query runs.
    var connections: Int {
        switch self {
        case .api: 8
        case .events: 4
        case .console: 4
        }
    }
}
