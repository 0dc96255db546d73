import ArgumentParser
import Foundation
import Ranking
import Tastemaker

/// Model files: what is inside, and vectors that become one.
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Look into model files; import vectors as a model.", subcommands: [Inspect.self, ModelImport.self])

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print recipe, properties and every section with shape and type.")

        @Argument(help: "A .tmm file, such as those below models/ in the data folder.")
        var file: String

        func run() throws {
            do throws(ModelError) {
                let file = try MappedFile(path: absolutePath(file))
                if let actions = try? ActionModel(opening: file) { return writeAll(Self.description(of: actions), to: 1) }
                writeAll(Self.description(of: try Model(opening: file)), to: 1)
            } catch { throw Failure(error.message) }
        }

        private static func description(of model: ActionModel) -> String {
            let lines = ["actions     \(model.actionIDs.count)", "with scores \(model.readyCount)", "checksum    right"]
            let facts = model.properties.merging(model.metrics.mapValues { "\($0)" }) { first, _ in first }
            return (lines + facts.sorted { $0.key < $1.key }.map { "  \($0.key) = \($0.value)" }).joined(separator: "\n") + "\n"
        }

        private static func description(of model: Model) -> String {
            var lines = [
                "recipe      \(model.recipe.rawValue)", "created     \(model.createdAt.ISO8601Format())", "seed        \(model.seed)",
                "items       \(model.itemCount)", "event types \(model.eventTypeNames.joined(separator: ", "))", "checksum    right",
            ]
            lines += model.properties.sorted { $0.key < $1.key }.map { "  \($0.key) = \($0.value)" }
            lines.append("section                        type      rows x columns        offset         bytes")
            lines += model.sections.map { section in
                section.name.padded(31) + "\(section.type)".padded(10) + "\(section.rows) x \(section.columns)".padded(22)
                    + String(section.offset).padded(15) + String(section.byteCount)
            }
            return lines.joined(separator: "\n") + "\n"
        }
    }
}

extension String {
    /// Filled with spaces to a column's width; longer text keeps one space behind it.
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - unicodeScalars.count))
    }
}
