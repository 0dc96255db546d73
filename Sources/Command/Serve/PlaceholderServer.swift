import CFastCGI
import Glibc
import Synchronization

/// Answers every request with a few bytes.
enum PlaceholderServer {
    final class Thread: Sendable {
        let isIdle = Atomic<Bool>(true)
        let shouldStop: Atomic<Bool> = Atomic(false)
        let hasEnded = Atomic<Bool>(false)
    }

    static func run(pool: WorkerPool, settings: LaunchSettings, signals: SignalSet) throws {
        // Without SA_RESTART, which signal() would set, so that accept and read end.
        var action = sigaction()
        action.__sigaction_handler.sa_handler = nothing
        sigaction(SIGUSR1, &action, nil)
        FCGX_Init()
        var threads: [(Thread, pthread_t)] = []
        for _ in 0..<pool.threads {
            let thread = Thread()
            var id = pthread_t()
            let argument = Unmanaged.passRetained(thread).toOpaque()
            guard pthread_create(&id, nil, placeholderMain, argument) == 0 else { throw Failure("no thread") }
            threads.append((thread, id))
        }
        Readiness.announce()
        while signals.next(milliseconds: 60_000) == nil {}
        FCGX_ShutdownPending()
        for (thread, _) in threads { thread.shouldStop.store(true, ordering: .sequentiallyConsistent) }
        let deadline = monotonicMilliseconds() + settings.drainSeconds * 1000
        while monotonicMilliseconds() < deadline {
            let left = threads.filter { !$0.0.hasEnded.load(ordering: .sequentiallyConsistent) }
            if left.isEmpty { break }
            for (thread, id) in left where thread.isIdle.load(ordering: .sequentiallyConsistent) { pthread_kill(id, SIGUSR1) }
            pause(milliseconds: 5)
        }
        _exit(0)
    }
}

private func nothing(_ signal: Int32) {}

private func placeholderMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let thread = Unmanaged<PlaceholderServer.Thread>.fromOpaque(argument).takeRetainedValue()
    let request = UnsafeMutablePointer<FCGX_Request>.allocate(capacity: 1)
    FCGX_InitRequest(request, 0, 0)
    while !thread.shouldStop.load(ordering: .sequentiallyConsistent) {
        guard FCGX_Accept_r(request) == 0 else { break }
        thread.isIdle.store(false, ordering: .sequentiallyConsistent)
        let uri = FCGX_GetParam("REQUEST_URI", request.pointee.envp).map { String(cString: $0) } ?? ""
        if uri.contains("slow") { pause(milliseconds: 700) }
        let body = "{\"status\":\"ok\",\"pid\":\(getpid())}"
        _ = FCGX_PutS("Content-Type: application/json\r\n\r\n" + body, request.pointee.out)
        if thread.shouldStop.load(ordering: .sequentiallyConsistent) { request.pointee.keepConnection = 0 }
        FCGX_Finish_r(request)
        thread.isIdle.store(true, ordering: .sequentiallyConsistent)
    }
    thread.hasEnded.store(true, ordering: .sequentiallyConsistent)
    return nil
}
