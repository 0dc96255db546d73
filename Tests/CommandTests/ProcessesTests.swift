import Foundation
import Glibc
import Testing

@testable import Command

@Suite struct ProcessesTests {
    @Test func `a first death costs no wait, early ones ever more, up to a bound`() {
        var policy = RestartPolicy()
        let delays = (0..<14).map { _ in policy.died(afterMilliseconds: 5) }
        #expect(delays.prefix(4) == [0, 100, 200, 400])
        #expect(delays.last == RestartPolicy.longestDelay)
        #expect(policy.died(afterMilliseconds: RestartPolicy.healthyMilliseconds) == 0)
    }

    @Test func `a socket path of 107 bytes is taken and one more refused`() throws {
        let folder = "/tmp/socket-\(getpid())"
        mkdir(folder, 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let longest = folder + "/" + String(repeating: "s", count: UnixListener.longestPath - folder.utf8.count - 1)
        let listener = try UnixListener(path: longest)
        #expect(UnixListener.answers(longest))
        #expect(throws: Failure.self) { try UnixListener(path: longest) }
        #expect(throws: Failure.self) { try UnixListener(path: longest + "s") }
        close(listener.descriptor)
        #expect(throws: Never.self) { close(try UnixListener(path: longest).descriptor) }
    }

    @Test func `the folder that stops an account is named`() throws {
        let nobody = try #require(SystemUser(named: "nobody"))
        let folder = "/tmp/reach-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder + "/shut/inner", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder, 0o755)
        chmod(folder + "/shut", 0o700)
        let expected = SystemUser.current.uid == nobody.uid ? nil : folder + "/shut"
        #expect(Reach.obstacle(to: folder + "/shut/inner/file", for: nobody) == expected)
        #expect(Reach.obstacle(to: folder + "/shut", for: nobody) == nil)
    }

    @Test func `a tool's ending and words come back`() throws {
        let run = try ToolRun(["/bin/sh", "-c", "cat; echo wrong >&2; exit 3"], user: nil, input: "given\n")
        #expect(run.ending == .exited(3))
        #expect(run.output == "given\nwrong\n")
    }

    @Test func `a child gets the descriptors it is given and none that is marked`() throws {
        let (marked, given) = ("/tmp/marked-\(getpid())", "/tmp/given-\(getpid())")
        defer {
            unlink(marked)
            unlink(given)
        }
        let descriptors = [marked, given].map { (path: String) in open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        defer { descriptors.forEach { _ = close($0) } }
        let pipe = try Command.Pipe()
        let plan = ChildProcess.Plan(
            arguments: ["/bin/ls", "-l", "/proc/self/fd"], environment: [:], signalAtOurDeath: "KILL",
            descriptors: [1: pipe.writing, 9: descriptors[1]])
        #expect(try ChildProcess.start(plan).wait() == .exited(0))
        close(pipe.writing)
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = read(pipe.reading, &bytes, bytes.count)
        close(pipe.reading)
        let listing = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        #expect(listing.contains("9 -> \(given)"))
        #expect(listing.contains("0 -> /dev/null"))
        #expect(!listing.contains(marked))
    }
}
