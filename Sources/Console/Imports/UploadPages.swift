import Foundation
import Tastemaker
import Web

extension ConsoleRoutes {
    static let uploads: [ConsoleRoute] = [
        .group(.get, "/upload", .operators) { visit, group in try UploadPages.form(visit, group, problem: nil) },
        .upload("/upload", .operators, limit: 2 << 30, UploadPages.receive),
        .group(.get, "/upload/preview", .operators) { visit, group in try UploadPages.preview(visit, group, FormState()) },
        .group(.post, "/upload/confirm", .operators, UploadPages.confirm),
    ]
}

/// A file from a browser: received to the upload folder, shown as it would be stored, imported on one confirmation.
enum UploadPages {
    static func form(_ visit: Visit, _ group: DatasetGroup, problem: String?, status: Status = .ok) throws -> Response {
        try visit.render(
            "imports/upload",
            ["problem": .text(problem), "actionURL": .url(.upload(group)), "dataURL": .url(.data(group))], status: status)
    }

    /// Writes each file under a name of our own while it arrives; nothing stays of an upload that breaks off.
    static func receive(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.environment.requireRoom()
        var names: [String] = []
        do {
            names = try store(visit)
        } catch let error as HTTPError where error.status == .contentTooLarge || error.status == .badRequest {
            return try form(visit, group, problem: error.message, status: .unprocessableContent)
        }
        guard !names.isEmpty else { return try form(visit, group, problem: "Choose a file first.", status: .unprocessableContent) }
        return visit.redirect(to: .page(group, "upload", "preview", query: names.map { ("file", $0) }))
    }

    private static func store(_ visit: Visit) throws -> [String] {
        var reader = try MultipartReader(visit.request)
        var names: [String] = []
        var isOurs = false
        do {
            while let part = try reader.next() {
                if part.name == "csrf" {
                    try visit.checkToken(try reader.text())
                    isOurs = true
                } else if part.name == "file", let original = part.fileName, !original.isEmpty {
                    guard isOurs else { try visit.checkToken(""); break }
                    let name = visit.environment.uploadName(for: original)
                    names.append(name)
                    try write(&reader, to: visit.environment.settings.uploadFolder, name: name)
                }
            }
        } catch {
            for name in names { remove(name, visit) }
            throw error
        }
        return names
    }

    private static func write(_ reader: inout MultipartReader, to folder: String, name: String) throws {
        let path = folder + "/" + name
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path) else {
            throw OperationError.unavailable("The file could not be stored in \(folder): is the disk full, or the folder not ours?")
        }
        defer { try? file.close() }
        _ = try reader.stream(limit: 2 << 30) { try file.write(contentsOf: $0) }
    }

    private static func remove(_ name: String, _ visit: Visit) {
        try? FileManager.default.removeItem(atPath: visit.environment.settings.uploadFolder + "/" + name)
    }

    static func preview(_ visit: Visit, _ group: DatasetGroup, _ state: FormState, files: [String]? = nil) throws -> Response {
        let names = try files ?? visit.request.queryItems().values("file")
        guard (1...5).contains(names.count) else { throw OperationError.notFound("There is no upload to show.") }
        var parts: [ViewModel] = []
        var hasProblem = false
        var types: [DatasetType] = []
        for (index, name) in names.enumerated() {
            do throws(OperationError) {
                let preview = try visit.environment.previewUpload(fileName: name, groupName: group.name, by: visit.caller)
                if preview.problem != nil { hasProblem = true }
                parts.append(part(preview, index))
                types.append(preview.type)
            } catch {
                guard case .invalidInput = error else { throw error }
                hasProblem = true
                parts.append(broken(name, error.sentence))
            }
        }
        return try visit.render(
            "imports/preview",
            [
                "parts": .list(parts), "canImport": .bool(!hasProblem), "problem": state.otherError(besides: []),
                "files": .list(names.map { ["file": .text($0)] as ViewModel }), "actionURL": .url(.page(group, "upload", "confirm")),
                "uploadURL": .url(.upload(group)), "adding": .text(adding(types)), "hasItems": .bool(types.contains(.items)),
            ])
    }

    /// What adding to the datasets of these types does.
    private static func adding(_ types: [DatasetType]) -> String {
        let replaced = types.compactMap { type -> String? in
            switch type {
            case .items: "an item"
            case .users: "a visitor"
            case .actions: "an action"
            case .interactions, .actionInteractions: nil
            }
        }
        return replaced.isEmpty ? "what is there stays" : "\(replaced.joined(separator: " or ")) of the same id is replaced"
    }

    private static func part(_ preview: UploadPreview, _ index: Int) -> ViewModel {
        [
            "title": .text(shownName(preview.fileName)), "type": .text(GroupPages.title(of: preview.type)), "reason": .text(preview.reason),
            "fault": .text(preview.problem), "hasRows": .bool(!preview.rows.isEmpty),
            "columns": .list(
                preview.columns.map { column in
                    [
                        "header": .text(column.header), "target": .text(column.name), "kind": .text(column.type),
                        "why": .text(column.reason),
                        "example": .text(String(column.example.prefix(80))),
                    ]
                }),
            "rowHeader": .list(preview.rowHeader.map { ["name": .text($0)] as ViewModel }),
            "rows": .list(
                preview.rows.map { row in ["cells": .list(row.map { ["cell": .text(String($0.prefix(60)))] as ViewModel })] as ViewModel }),
            "hasRefused": .bool(!preview.rejected.isEmpty),
            "refused": .list(preview.rejected.prefix(10).map { ["text": .text($0)] as ViewModel }),
            "schemaText": .text(preview.schemaText), "anchor": .text("file-\(index + 1)"),
        ]
    }

    private static func broken(_ name: String, _ message: String) -> ViewModel {
        [
            "title": .text(shownName(name)), "type": "Not readable", "reason": "", "fault": .text(message), "hasRows": false, "columns": [],
            "rowHeader": [], "rows": [], "hasRefused": false, "refused": [], "schemaText": false, "anchor": .text(name),
        ]
    }

    /// Without the random piece that `uploadName` puts before it.
    private static func shownName(_ name: String) -> String {
        String(name.drop { $0 != "-" }.dropFirst())
    }

    static func confirm(_ visit: Visit, _ group: DatasetGroup) throws -> Response {
        try visit.submit { form in
            let mode = ImportMode(rawValue: form.text("mode") ?? "") ?? .full
            let jobs = try visit.environment.confirmUploads(
                fileNames: form.values("file"), groupName: group.name, mode: mode, allowsWithdrawal: form["withdraw"] != nil,
                by: visit.accountCaller)
            guard let first = jobs.first else { return visit.redirect(to: .data(group)) }
            if jobs.count > 1 { return visit.redirect(to: .data(group), .good("\(jobs.count) imports have begun.")) }
            return visit.redirect(to: .importJob(first.name, group), .good("The import has begun."))
        } orShow: { state in
            try preview(visit, group, state, files: visit.form().values("file"))
        }
    }
}
