import API
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
        switch pool {
        case .api, .events:
            let server = APIServer()
            return WorkerProgram { thread in
                var context = APIContext(services: services)
                thread.serve { server.handle($0, &context) }
            }
        case .console:
            return WorkerProgram { thread in
                thread.serve { _ in RoutedResponse(response: .json(Array("{}".utf8)), route: "console") }
            }
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
