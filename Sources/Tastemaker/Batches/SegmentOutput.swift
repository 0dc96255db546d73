import Foundation
import Glibc
import Storage

/// The answer files of one attempt, kept on this host until all of them are whole.
final class SegmentOutput {
    private let job: BatchSegmentJob
    private let inputs: [SegmentInput]
    private let paths: [String]
    /// Of each line, over all files: the file it belongs to.
    private let fileOfLine: [Int]

    init(folder: String, job: BatchSegmentJob, attempt: Int, inputs: [SegmentInput]) throws {
        self.job = job
        self.inputs = inputs
        paths = inputs.indices.map { "\(folder)/segments-\(job.id)-\(attempt)-\($0).part" }
        fileOfLine = inputs.indices.flatMap { [Int](repeating: $0, count: inputs[$0].lines.count) }
        for path in paths {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw StorageError.unavailable("\(path) cannot be written.")
            }
        }
    }

    /// Appends the answer of a line; lines come in order.
    func write(_ line: Int, _ bytes: [UInt8]) throws(StorageError) {
        let path = paths[fileOfLine[line]]
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0 else { throw .unavailable("\(path) cannot be written.") }
        defer { close(file) }
        var start = 0
        while start < bytes.count {
            let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + start }, $0.count - start) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .unavailable("\(path) cannot be written: \(String(cString: strerror(errno))).") }
            start += written
        }
    }

    /// Puts every file under the output path, as `<input file name>.out`.
    func store(_ map: BucketMap) throws(StorageError) {
        let location = try S3Location(parsing: job.outputPath)
        let store = try map.store(for: location.bucket)
        let folder = location.isFolder ? location.key : location.key + "/"
        for (input, path) in zip(inputs, paths) { try store.put("\(folder)\(input.name).out", .file(path: path), ifAbsent: false) }
    }

    func remove() {
        for path in paths { unlink(path) }
    }
}
