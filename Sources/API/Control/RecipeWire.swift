import JSON
import Ranking
import Tastemaker

enum RecipeWire {
    static func describe(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let recipe = try call.environment.describeRecipe(arn: call.required("recipeArn"), by: call.caller)
        out.object("recipe") { out in
            head(recipe, call, &out)
            out.member("algorithmArn", call.arn(.algorithm, recipe.algorithm))
            out.member("featureTransformationArn", call.arn(.featureTransformation, recipe.featureTransformation))
            out.member("description", recipe.description.fullSentence)
            out.member("recipeType", recipe.type)
        }
    }

    static func list(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let page = try call.environment.listRecipes(
            provider: call.optional("recipeProvider"), domain: call.optional("domain"), call.page(), by: call.caller)
        out.page("recipes", page) { out, recipe in
            head(recipe, call, &out)
            out.member("domain", recipe.domain?.rawValue)
        }
    }

    static func describeAlgorithm(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let recipe = try call.environment.describeAlgorithm(arn: call.required("algorithmArn"), by: call.caller)
        out.object("algorithm") { out in
            out.member("name", recipe.algorithm)
            out.member("algorithmArn", call.arn(.algorithm, recipe.algorithm))
            defaults("defaultHyperParameters", recipe.hyperparameters, &out)
            out.object("defaultHyperParameterRanges") { ranges(recipe.hyperparameters, &$0) }
            out.dates(CatalogueRecipe.createdAt, CatalogueRecipe.createdAt)
        }
    }

    static func describeFeatureTransformation(_ call: ControlCall, _ out: inout JSONWriter) throws {
        let recipe = try call.environment.describeFeatureTransformation(arn: call.required("featureTransformationArn"), by: call.caller)
        out.object("featureTransformation") { out in
            out.member("name", recipe.featureTransformation)
            out.member("featureTransformationArn", call.arn(.featureTransformation, recipe.featureTransformation))
            defaults("defaultParameters", recipe.featurization, &out)
            out.lifecycle(status: "ACTIVE", created: CatalogueRecipe.createdAt, updated: CatalogueRecipe.createdAt)
        }
    }

    private static func head(_ recipe: CatalogueRecipe, _ call: ControlCall, _ out: inout JSONWriter) {
        out.member("name", recipe.name)
        out.member("recipeArn", call.arn(.recipe, recipe.name))
        out.lifecycle(status: "ACTIVE", created: CatalogueRecipe.createdAt, updated: CatalogueRecipe.createdAt)
    }

    private static func defaults(_ name: StaticString, _ parameters: [RecipeParameter], _ out: inout JSONWriter) {
        out.object(name) { out in
            for parameter in parameters {
                out.key(parameter.name)
                out.string(parameter.defaultValue)
            }
        }
    }

    private static func ranges(_ parameters: [RecipeParameter], _ out: inout JSONWriter) {
        out.list("integerHyperParameterRanges", parameters.compactMap(IntegerRange.init)) { out, entry in
            out.member("name", entry.parameter.name)
            out.member("minValue", integer: Int64(entry.range.lowerBound))
            out.member("maxValue", integer: Int64(entry.range.upperBound))
            out.member("isTunable", entry.parameter.isTunable)
        }
        out.list("continuousHyperParameterRanges", parameters.compactMap(NumberRange.init)) { out, entry in
            out.member("name", entry.parameter.name)
            out.member("minValue", number: entry.range.lowerBound)
            out.member("maxValue", number: entry.range.upperBound)
            out.member("isTunable", entry.parameter.isTunable)
        }
        out.list("categoricalHyperParameterRanges", parameters.compactMap(CategoricalRange.init)) { out, entry in
            out.member("name", entry.parameter.name)
            out.member("values", json: .array(entry.values.map { .string($0) }))
            out.member("isTunable", entry.parameter.isTunable)
        }
    }

    private struct IntegerRange {
        let parameter: RecipeParameter
        let range: ClosedRange<Int>

        init?(_ parameter: RecipeParameter) {
            guard case .integer(let range) = parameter.range else { return nil }
            self.parameter = parameter
            self.range = range
        }
    }

    private struct NumberRange {
        let parameter: RecipeParameter
        let range: ClosedRange<Double>

        init?(_ parameter: RecipeParameter) {
            guard case .number(let range) = parameter.range else { return nil }
            self.parameter = parameter
            self.range = range
        }
    }

    private struct CategoricalRange {
        let parameter: RecipeParameter
        let values: [String]

        init?(_ parameter: RecipeParameter) {
            switch parameter.range {
            case .boolean: values = ["true", "false"]
            case .choice(let names): values = names
            case .integer, .number, .words: return nil
            }
            self.parameter = parameter
        }
    }
}
