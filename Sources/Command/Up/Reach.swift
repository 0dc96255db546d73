import Glibc

/// Whether another account can get at a path, found by walking it.
enum Reach {
    /// The first folder on the way to `path` that `user` cannot enter, from the mode bits; nil when the way is open.
    /// What does not exist yet ends the walk.
    static func obstacle(to path: String, for user: SystemUser) -> String? {
        guard !user.isRoot else { return nil }
        var folders = ["/"]
        for part in path.split(separator: "/").dropLast() {
            folders.append((folders.last == "/" ? "" : folders.last ?? "") + "/" + part)
        }
        for walked in folders {
            var info = stat()
            guard stat(walked, &info) == 0 else { return nil }
            if !mayEnter(info, user) { return walked }
        }
        return nil
    }

    /// Refuses a path that `user` cannot reach, naming the folder and the way out.
    static func check(_ path: String, called what: String, for user: SystemUser) throws(Failure) {
        guard let folder = obstacle(to: path, for: user) else { return }
        throw Failure(
            "The account \(user.name) cannot enter \(folder), which is on the way to \(what) \(path): "
                + "open it (chmod o+x \(folder)), move \(what) elsewhere (such as /opt), or run tastemaker as the owner of that folder.")
    }

    private static func mayEnter(_ info: stat, _ user: SystemUser) -> Bool {
        let shift: mode_t = info.st_uid == user.uid ? 6 : groups(of: user).contains(info.st_gid) ? 3 : 0
        return info.st_mode >> shift & 1 == 1
    }

    private static func groups(of user: SystemUser) -> [gid_t] {
        var count: Int32 = 64
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(user.name, user.gid, &groups, &count) >= 0 else { return [user.gid] }
        return Array(groups.prefix(Int(count)))
    }
}
