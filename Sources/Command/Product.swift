import Web

extension FirstStart {
    /// What this product does at a start.
    static let product = FirstStart.empty
}

extension WorkerProgram {
    /// What this product answers in the processes of a pool.
    static func product(_ pool: WorkerPool, _ settings: LaunchSettings) throws -> WorkerProgram {
        let body = Array("{\"status\":\"ok\"}".utf8)
        return WorkerProgram { thread in
            thread.serve { _ in RoutedResponse(response: .json(body), route: "health") }
        }
    }
}
