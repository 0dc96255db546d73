import Glibc

/// An account of the machine.
struct SystemUser: Equatable {
    let name: String
    let uid: uid_t
    let gid: gid_t

    /// By name; nil when there is none.
    init?(named name: String) {
        guard let entry = getpwnam(name) else { return nil }
        self.init(entry.pointee)
    }

    /// The one that runs this process; its number stands for a name it lacks.
    static var current: SystemUser {
        getpwuid(geteuid()).map { SystemUser($0.pointee) } ?? SystemUser(name: String(geteuid()), uid: geteuid(), gid: getegid())
    }

    var isRoot: Bool { uid == 0 }

    private init(_ entry: passwd) {
        self.init(name: String(cString: entry.pw_name), uid: entry.pw_uid, gid: entry.pw_gid)
    }

    private init(name: String, uid: uid_t, gid: gid_t) {
        (self.name, self.uid, self.gid) = (name, uid, gid)
    }
}
