using System.Text.Json.Nodes;
using Ferry.Cluster.Diagnosis;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>A diagnosis for programs.</summary>
internal static class DiagnosisJson
{
    public static JsonObject Of(DiagnosisReport report) => new()
    {
        ["causes"] = new JsonArray([.. report.Causes.Select(cause => (JsonNode)Of(cause))]),
        ["inputs"] = new JsonArray([.. report.Inputs.Select(input => (JsonNode)new JsonObject
        {
            ["input"] = input.Input,
            ["bytes"] = input.Bytes,
            ["lines"] = input.Lines,
            ["heard"] = Texts(input.Voices),
            ["note"] = input.Note,
        })]),
        ["problems"] = Texts(report.Problems),
    };

    public static JsonObject Of(Signature signature) => new()
    {
        ["id"] = signature.Id,
        ["component"] = signature.Component,
        ["severity"] = signature.Severity.ToString().ToLowerInvariant(),
        ["title"] = signature.Title,
        ["cause"] = signature.Cause,
        ["fix"] = signature.Fix,
        ["lintRules"] = Texts(signature.LintRules),
        ["sources"] = Texts(signature.Sources),
    };

    private static JsonObject Of(DiagnosedCause cause)
    {
        var json = Of(cause.Signature);
        json["count"] = cause.Count;
        json["sightings"] = new JsonArray([.. cause.Sightings.Select(sighting => (JsonNode)new JsonObject
        {
            ["input"] = sighting.Input,
            ["count"] = sighting.Count,
            ["firstLine"] = sighting.FirstLine,
            ["lastLine"] = sighting.LastLine,
            ["firstTime"] = sighting.FirstTime,
            ["lastTime"] = sighting.LastTime,
            ["evidence"] = Texts(sighting.Evidence),
        })]);
        json["evidencePresent"] = Needs(cause.Present);
        json["evidenceMissing"] = Needs(cause.Missing);
        json["consequences"] = new JsonArray([.. cause.Consequences.Select(consequence => (JsonNode)Of(consequence))]);
        return json;
    }

    private static JsonArray Needs(IReadOnlyList<EvidenceNeed> needs) =>
        new([.. needs.Select(need => (JsonNode)new JsonObject { ["what"] = need.What, ["command"] = need.Command })]);

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
