using System.Text.Json.Nodes;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>All engines serve the same model under the name that ferry.yaml gives it.</summary>
internal sealed class ModelsProbe : IProbe
{
    public string Id => "models";

    public string Title => "/v1/models equal on all engines";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => [new ProbeTask("all engines", token => RunAsync(cluster, token))];

    private static async Task<ProbeAnswer> RunAsync(VerifyCluster cluster, CancellationToken cancellationToken)
    {
        var wrong = new List<string>();
        var silent = new List<string>();
        var said = new List<(string Engine, string Models)>();
        foreach (var engine in cluster.Engines)
        {
            try
            {
                var (body, problem) = await cluster.Http.GetJsonAsync(new Uri(engine.Url, "/v1/models"), cancellationToken);
                if (body?["data"] is not JsonArray models)
                {
                    silent.Add($"{engine.Name}: {(problem.Length > 0 ? problem : "no list of models")}");
                    continue;
                }
                said.Add((engine.Name, string.Join(", ", models.Select(model => $"{model.Text("id")} (max_model_len {model.Number("max_model_len")})").Order(StringComparer.Ordinal))));
                if (models.All(model => model.Text("id") != cluster.Plan.ModelName))
                {
                    wrong.Add($"{engine.Name} serves {said[^1].Models}, not '{cluster.Plan.ModelName}'");
                }
            }
            catch (HttpRequestException exception)
            {
                silent.Add($"{engine.Name}: {exception.GetBaseException().Message}");
            }
        }
        foreach (var other in said.Skip(1).Where(other => other.Models != said[0].Models))
        {
            wrong.Add($"{said[0].Engine} serves {said[0].Models}, {other.Engine} serves {other.Models}");
        }
        if (wrong.Count == 0 && silent.Count > 0)
        {
            return ProbeAnswer.Inconclusive(string.Join("; ", silent));
        }
        return ProbeAnswer.Of(wrong, said.Count > 0 ? $"{said.Count} engines serve {said[0].Models}" : "", "Start all engines with the same model string, --served-model-name and --max-model-len: keys and handshakes compare them.");
    }
}
