import Glibc

extension Environment {
    /// Refuses what would fill the disk: imports, uploads, trainings, events. Serving needs no room and goes on.
    /// A full disk would end PostgreSQL until somebody makes room.
    public func requireRoom() throws(OperationError) {
        if let problem = roomProblem { throw .insufficientStorage(problem) }
    }

    /// Why nothing that grows is stored just now; nil while there is room, and where no floor is set.
    public var roomProblem: String? {
        let floor = settings.freeSpaceFloorBytes
        guard floor > 0, let free = Self.freeBytes(at: settings.uploadFolder), free < floor else { return nil }
        return
            "The disk of the uploads has \(free >> 20) MB free and the floor is \(floor >> 20) MB: nothing more is stored until somebody makes room."
    }

    /// What an ordinary user may still fill; nil when the folder is not there.
    private static func freeBytes(at path: String) -> Int? {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { return nil }
        return Int(info.f_bavail) * Int(info.f_frsize)
    }
}
