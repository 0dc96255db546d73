import Foundation
import Glibc
import Postgres

/// Everything that `up` has started, in the order of starting: PostgreSQL, work, serve, nginx.
struct LocalSystem {
    private var settings: LaunchSettings
    private let firstStart: FirstStart
    private let readiness: Readiness.Announcement
    private let owner: SystemUser
    private let data: DataFolder
    private let tools: Tools
    private let cluster: PrivateCluster?
    private let log: LogFile
    private let ballast: Ballast
    private let stopsOnHangup: Bool
    private var services: [Service] = []

    /// Checks everything that can be checked before the first process starts.
    init(settings: LaunchSettings, firstStart: FirstStart, readiness: Readiness.Announcement) throws(Failure) {
        self.settings = settings
        self.firstStart = firstStart
        self.readiness = readiness
        owner = try Self.owner(settings)
        stopsOnHangup = isatty(STDIN_FILENO) == 1
        tools = try Tools(withPostgres: settings.databaseURL == nil)
        for (path, what) in [
            (ownProgram, "the program"), (settings.resources + "/Public/x", "its files"), (settings.dataFolder + "/x", "the data folder"),
        ] {
            try Reach.check(path, called: what, for: owner)
        }
        for file in [settings.tlsCertificate, settings.tlsKey].compactMap(\.self) where access(file, R_OK) != 0 {
            throw Failure("\(file) cannot be read: \(systemMessage()); correct --tls-certificate and --tls-key.")
        }
        if let number = settings.listen.bindingError() { throw Self.refusal(of: settings.listen, number) }
        data = try DataFolder(path: settings.dataFolder, owner: owner)
        try makeFolder(settings.runFolder, mode: 0o711)
        try DataFolder.makeOwned(settings.runFolder, owner, mode: 0o711)
        if let folder = tools.postgres {
            cluster = try PrivateCluster(data: data, runFolder: settings.runFolder, tools: folder)
        } else {
            cluster = nil
        }
        log = try LogFile(folder: data.path + "/logs", owner: owner)
        ballast = Ballast(path: data.path + "/ballast", owner: owner, floorMegabytes: settings.freeSpaceFloorMegabytes)
    }

    /// Where the lines of this process's log go.
    var logDescriptor: Int32 { log.descriptor }

    private static func owner(_ settings: LaunchSettings) throws(Failure) -> SystemUser {
        let current = SystemUser.current
        guard current.isRoot else {
            guard settings.user == nil || settings.user == current.name else {
                throw Failure("Only root can run under another account: leave out --user, or start as root.")
            }
            return current
        }
        let name = settings.user ?? "tastemaker"
        guard let user = SystemUser(named: name) else {
            throw Failure("There is no account \(name) on this machine: run scripts/install, which makes it, or name another with --user.")
        }
        guard !user.isRoot else { throw Failure("PostgreSQL and the workers do not run as root: name another account with --user.") }
        return user
    }

    private static func refusal(of listen: ListenAddress, _ number: Int32) -> Failure {
        switch number {
        case EADDRINUSE:
            let who = PortOwner.describe(port: listen.port) ?? "another process"
            return Failure(
                "Port \(listen.port) is in use by \(who): stop it, or choose another with --listen \(listen.host):\(listen.port + 1).")
        case EACCES: return Failure("Port \(listen.port) is open to root only: choose one from 1024 up with --listen, or start as root.")
        case EADDRNOTAVAIL: return Failure("\(listen.host) is no address of this machine: correct --listen.")
        default: return Failure("\(listen) cannot be listened on: \(systemMessage(number)); choose another with --listen.")
        }
    }

    /// Starts all, stays until a signal or a lasting failure, and stops all.
    mutating func run(_ signals: SignalSet) throws {
        do {
            let lines = try start(signals)
            (lines + ["", "Ctrl-C stops everything. Log: \(log.path)"]).forEach { say($0) }
            readiness.make()
            try watch(signals)
        } catch is Interrupted {
            say("Stopping before the start is complete …")
        } catch {
            stop(signals)
            throw error
        }
        stop(signals)
    }

    private mutating func start(_ signals: SignalSet) throws -> [String] {
        freeBallastIfFull()
        if let cluster { try startDatabase(cluster, signals) }
        ballast.make()
        let database = Database(settings: settings)
        let connection = try database.connectAsOwner()
        try database.checkFitness(connection).forEach { say("Note: \($0)") }
        try database.migrate(connection) { say($0) }
        connection.close()
        try RunningSettings.write(settings, for: owner)
        let once = try firstStart.prepare(settings)
        try addProgram("work", signals)
        try addProgram("serve", signals)
        try startNginx(signals)
        // Before the minutes that a demo takes: who interrupts it still has the password.
        once.forEach { say($0) }
        // Where a server was given, others live on it too: there the demo comes only when asked for.
        if !once.isEmpty, settings.demo ?? (cluster != nil) { note(unfinished: true) }
        if settings.demo != false, access(unfinishedNote, F_OK) == 0 { try populate(signals) }
        return try firstStart.summary(settings)
    }

    /// There from the beginning of the demo's load to its end: a next start finishes what was interrupted.
    private var unfinishedNote: String { data.path + "/demo.unfinished" }

    private func note(unfinished: Bool) {
        guard unfinished else {
            unlink(unfinishedNote)
            return
        }
        let file = open(unfinishedNote, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        if file >= 0 { close(file) }
    }

    /// Loads the demo in a process of its own, so that Ctrl-C ends it at once.
    private mutating func populate(_ signals: SignalSet) throws {
        guard !firstStart.populate.isEmpty else { return note(unfinished: false) }
        say("")
        let child = try ChildProcess.start(
            ChildProcess.Plan(
                arguments: [ownProgram] + firstStart.populate, environment: settings.childEnvironment(),
                user: SystemUser.current.isRoot ? owner : nil, signalAtOurDeath: "TERM",
                descriptors: [1: STDOUT_FILENO, 2: log.descriptor]))
        var ending: Ending?
        do {
            while ending == nil { try rest(signals, milliseconds: 100) { if $0 == child { ending = $1 } } }
        } catch {
            child.signal(SIGTERM)
            say("The demo shop is loaded at the next start.")
            throw error
        }
        note(unfinished: false)
        if ending != .exited(0) { say("The demo shop is not loaded: see \(log.path). `tastemaker demo load` tries again.") }
    }

    private mutating func startDatabase(_ cluster: PrivateCluster, _ signals: SignalSet) throws {
        let deadline = monotonicMilliseconds() + 30_000
        while let pid = cluster.leftover {
            guard monotonicMilliseconds() < deadline else {
                throw Failure("A PostgreSQL (process \(pid)) still runs on \(cluster.folder): stop it with kill -INT \(pid).")
            }
            try rest(signals, milliseconds: 50)
        }
        if data.hasNoCluster {
            try cluster.requireNoRemains()
            say("Making the database in \(cluster.folder) …")
            try cluster.create()
        } else {
            try cluster.check()
        }
        try cluster.configure()
        say("Starting PostgreSQL …")
        let service = Service(name: "PostgreSQL", stopSignal: SIGINT) { try cluster.start() }
        services.append(service)
        try services[services.count - 1].begin()
        try awaitReady(signals, seconds: 300, { cluster.isReady }, failure: { cluster.reasonOfFailure })
        try cluster.prepareDatabase()
        settings.use(PrivateCluster.urls(socketFolder: cluster.socketFolder))
    }

    /// Starts a subcommand of this program and waits until it says that it serves.
    private mutating func addProgram(_ name: String, _ signals: SignalSet) throws {
        say("Starting \(name) …")
        let plan = ChildProcess.Plan(
            arguments: [ownProgram, name], environment: settings.childEnvironment().merging(["TASTEMAKER_READY": "1"]) { $1 },
            user: SystemUser.current.isRoot ? owner : nil, signalAtOurDeath: "TERM", descriptors: [2: log.descriptor])
        // Both ends stay open: a service that is started again says so too.
        let pipe = try Pipe()
        let path = log.path
        let writing = pipe.writing
        services.append(
            Service(name: name, stopSignal: SIGTERM) {
                var plan = plan
                plan.descriptors[Readiness.childDescriptor] = writing
                return try ChildProcess.start(plan)
            })
        try services[services.count - 1].begin()
        try awaitReady(
            signals, seconds: 60, { Readiness(of: pipe.reading) == .ready },
            failure: { "\(name) does not start: see the last lines of \(path)." })
    }

    private mutating func startNginx(_ signals: SignalSet) throws {
        say("Starting nginx …")
        let file = settings.runFolder + "/nginx.conf"
        guard let template = try? String(contentsOfFile: settings.resources + "/nginx/tastemaker.conf", encoding: .utf8) else {
            throw Failure("\(settings.resources)/nginx/tastemaker.conf cannot be read: restore it.")
        }
        let isRoot = SystemUser.current.isRoot
        let text = try NginxConfiguration(template: template, settings: settings, user: isRoot ? owner.name : nil).text
        guard (try? text.write(toFile: file, atomically: true, encoding: .utf8)) != nil else {
            throw Failure("\(file) cannot be written: make room, or name another folder with --run.")
        }
        let arguments = [tools.nginx, "-p", settings.runFolder, "-e", "stderr", "-c", file]
        let test = try ToolRun(arguments + ["-t"], user: nil)
        guard test.succeeded else {
            if let number = settings.listen.bindingError() { throw Self.refusal(of: settings.listen, number) }
            throw Failure("nginx refuses its configuration: \(test.reason)")
        }
        let descriptor = log.descriptor
        services.append(
            Service(name: "nginx", stopSignal: SIGQUIT) {
                try ChildProcess.start(
                    ChildProcess.Plan(
                        arguments: arguments, environment: Tools.environment, user: nil, signalAtOurDeath: "TERM",
                        descriptors: [2: descriptor]))
            })
        try services[services.count - 1].begin()
        let listen = settings.listen
        let path = log.path
        try awaitReady(
            signals, seconds: 20, { listen.bindingError() == EADDRINUSE },
            failure: {
                "nginx does not listen on \(listen)\(PortOwner.describe(port: listen.port).map { "; \($0) does" } ?? ""): see \(path), or choose another port with --listen."
            })
    }

    /// Polls until ready; ends early when the newest service dies or a signal asks to stop.
    private mutating func awaitReady(
        _ signals: SignalSet, seconds: Int, _ isReady: () -> Bool, failure: () -> String
    ) throws {
        let deadline = monotonicMilliseconds() + seconds * 1000
        let newest = services.count - 1
        while !isReady() {
            try rest(signals, milliseconds: 20)
            if monotonicMilliseconds() > deadline || services[newest].hasEnded { throw Failure(failure()) }
        }
    }

    private mutating func rest(
        _ signals: SignalSet, milliseconds: Int, _ other: (ChildProcess, Ending) -> Void = { _, _ in }
    ) throws {
        switch signals.next(milliseconds: milliseconds) {
        case SIGTERM, SIGINT: throw Interrupted()
        case SIGHUP where stopsOnHangup: throw Interrupted()
        default: reap(other)
        }
    }

    /// `other` learns of the end of children that are no services.
    private mutating func reap(_ other: (ChildProcess, Ending) -> Void = { _, _ in }) {
        while let (child, ending) = ChildProcess.reap() {
            other(child, ending)
            for index in services.indices { services[index].noteEnd(of: child, ending) }
        }
    }

    private func freeBallastIfFull() {
        guard ballast.freeIfFull() else { return }
        say("The disk of \(data.path) is full. \(Ballast.megabytes) MB of ballast are freed for PostgreSQL to recover: make room now.")
    }

    /// Restarts what dies until a signal asks to stop.
    private mutating func watch(_ signals: SignalSet) throws {
        while true {
            switch signals.next(milliseconds: 250) {
            case SIGTERM, SIGINT: return
            case SIGHUP where stopsOnHangup: return
            case SIGHUP: services.first { $0.name == "serve" }?.signal(SIGHUP)
            default: break
            }
            reap()
            for index in services.indices {
                // Only now: who fills the disk would have taken this room too.
                if services[index].name == "PostgreSQL", services[index].hasEnded { freeBallastIfFull() }
                guard let (ending, delay) = try services[index].restartIfDue() else { continue }
                let name = services[index].name
                let reason = name == "PostgreSQL" ? cluster?.reasonOfFailureAfterDeath ?? "" : ""
                say("\(name) ended (\(ending)); starting it again\(delay > 0 ? " in \(delay) ms" : "").\(reason)")
            }
            log.bound()
        }
    }

    /// Ends the services, last started first, each within its time; a second signal shortens all times.
    private mutating func stop(_ signals: SignalSet) {
        if !services.isEmpty { say("Stopping …") }
        var isHurried = false
        // nginx first, so that nothing new arrives; PostgreSQL last, as the others write to it.
        for index in services.indices.reversed() where !services[index].hasEnded {
            services[index].askToEnd()
            var deadline = monotonicMilliseconds() + (settings.drainSeconds + 5) * 1000
            while !services[index].hasEnded {
                switch signals.next(milliseconds: 20) {
                case SIGTERM, SIGINT: isHurried = true
                default: break
                }
                reap()
                if isHurried { deadline = min(deadline, monotonicMilliseconds() + 1000) }
                if monotonicMilliseconds() > deadline {
                    say("\(services[index].name) does not end in time; ending it by force.")
                    services[index].endByForce()
                    deadline += 10_000
                }
            }
        }
        if !services.isEmpty { say("Stopped.") }
        services = []
        _ = try? FileManager.default.removeItem(atPath: settings.runFolder)
    }

    private struct Interrupted: Error {}
}

/// A line for the person at the terminal.
func say(_ line: String) {
    writeAll(line + "\n", to: STDOUT_FILENO)
}
