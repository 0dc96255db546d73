import ArgumentParser
import Foundation
import Tastemaker

/// Imports files of this machine: what the console's upload does, at the command line.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import CSV files or a product feed.",
        discussion: "Guesses what each file holds, shows ten rows and the schema, and asks before it stores anything.")

    @OptionGroup var options: SettingsOptions
    @Option(help: "The dataset group; it is made when it does not exist.")
    var group: String
    @Flag(help: "Do not ask.")
    var yes = false
    @Flag(help: "Add to what is there instead of replacing it.")
    var add = false
    @Flag(help: "More than a fifth of the items may go.")
    var withdraw = false
    @Argument(help: "CSV files, packed with gzip or not, or a Merchant Center feed.")
    var files: [String]

    func run() throws {
        let environment = try Environment.open(try options.runningSettings(), connections: 2)
        let caller = Caller(.command)
        var names: [String] = []
        var isConfirmed = false
        defer { if !isConfirmed { remove(names, environment) } }
        do {
            try environment.requireRoom()
            for file in files {
                let name = try copy(file, environment)
                names.append(name)
                show(try environment.previewUpload(fileName: name, groupName: group, by: caller), as: file)
            }
            guard yes || confirms() else { throw Failure("Nothing was imported.") }
            let jobs = try environment.confirmUploads(
                fileNames: names, groupName: group, mode: add ? .incremental : .full, allowsWithdrawal: withdraw, by: caller)
            isConfirmed = true
            try wait(for: jobs, environment, caller)
        } catch let error as OperationError {
            throw Failure(error.message)
        }
    }

    private func copy(_ file: String, _ environment: Environment) throws -> String {
        let name = environment.uploadName(for: file)
        let target = environment.settings.uploadFolder + "/" + name
        do {
            try FileManager.default.createDirectory(atPath: environment.settings.uploadFolder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: absolutePath(file), toPath: target)
            try FileManager.default.setAttributes([.posixPermissions: 0o644, .modificationDate: Date()], ofItemAtPath: target)
        } catch {
            throw Failure("\(file) cannot be copied to \(environment.settings.uploadFolder): \(error.localizedDescription)")
        }
        return name
    }

    private func remove(_ names: [String], _ environment: Environment) {
        for name in names { try? FileManager.default.removeItem(atPath: environment.settings.uploadFolder + "/" + name) }
    }

    private func show(_ preview: UploadPreview, as file: String) {
        say("\n\(file): \(preview.type.rawValue). \(preview.reason)")
        for column in preview.columns {
            let target = column.name.map { "\($0) (\(column.type ?? ""))" } ?? "left out"
            say("  \(column.header) -> \(target)\(column.reason.isEmpty ? "" : "  \(column.reason)")")
        }
        say("")
        for line in TextTable.lines(header: preview.rowHeader, rows: preview.rows) { say("  \(line)") }
        for sentence in preview.rejected.prefix(10) { say("  refused: \(sentence)") }
        if let problem = preview.problem { say("  This file cannot be imported: \(problem)") }
    }

    private func confirms() -> Bool {
        say("\nImport into the dataset group \(group)? [y/N] ")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }

    private func wait(for jobs: [DatasetImportJob], _ environment: Environment, _ caller: Caller) throws {
        var hasFailed = false
        for job in jobs {
            say("\(job.dataset.type.rawValue): waiting for the job worker")
            var current = job
            while current.status == .createPending || current.status == .createInProgress {
                Thread.sleep(forTimeInterval: 0.3)
                current = try environment.describeDatasetImportJob(arn: jobARN(job, environment), by: caller)
            }
            say("  \(current.rowsAccepted) rows stored, \(current.rowsDuplicate) duplicates, \(current.rowsRejected) refused")
            for error in try environment.listImportRowErrors(of: current, limit: 10, by: caller) {
                say("  line \(error.line): \(error.reason)")
            }
            if let reason = current.failureReason {
                say("  The import failed: \(reason)")
                hasFailed = true
            }
        }
        if hasFailed { throw ExitCode(1) }
    }

    private func jobARN(_ job: DatasetImportJob, _ environment: Environment) -> String {
        ResourceARN(kind: .datasetImportJob, path: job.name)
            .text(region: environment.installation.region, account: environment.installation.accountID)
    }
}

/// A table of text in columns of equal width.
enum TextTable {
    private static let widthLimit = 28

    static func lines(header: [String], rows: [[String]]) -> [String] {
        let all = ([header] + rows).map { row in row.map(cut) }
        let widths = header.indices.map { column in all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return all.map { row in
            zip(row, widths).map { text, width in text + String(repeating: " ", count: width - text.count) }.joined(separator: "  ")
        }
    }

    /// On one line, and without what would steer a terminal.
    private static func cut(_ text: String) -> String {
        let plain = String(text.map { $0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } ? " " : $0 })
        return plain.count > widthLimit ? plain.prefix(widthLimit - 1) + "…" : plain
    }
}
