using Ferry.Cache.Remote.Hosting.Options;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;
using Ferry.Kv.Settings;
using Ferry.Router;
using Ferry.Router.Configuration;
using Ferry.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>What is rendered for Ferry's own processes starts: the commands' own parsers take every word, variable and file without a complaint.</summary>
public sealed class AcceptedByFerryTests
{
    [Theory]
    [MemberData(nameof(RenderCases.Names), MemberType = typeof(RenderCases))]
    public void FerrysProcesses_OfTheProfile_AreTakenWithoutErrorAndWarning(string name)
    {
        var plan = ClusterPlanner.Plan(RenderCases.Request(name, RenderTarget.Docker));
        foreach (var node in plan.Nodes)
        {
            foreach (var process in node.Processes.Where(process => process.IsFerry))
            {
                string[] words = [.. process.Arguments.SelectMany(argument => argument.Words)];
                var wrong = words[0] switch
                {
                    "cache" => Complaints(ExchangeOptionsParser.Parse(WithFiles(words[1..], process), null, false, Environment(process), new RenderedMachine(node, process)).Findings),
                    "serve" => Complaints(ServeOptionsParser.Parse(words[1..], Environment(process), new RenderedMachine(node, process)).Findings),
                    _ => Router(process),
                };
                Assert.True(wrong.Count == 0, $"{name}: {process.Name}: {string.Join(System.Environment.NewLine, wrong)}");
            }
        }
    }

    [Theory]
    [InlineData(Ferry.Cluster.Spec.HandoverMode.Pull)]
    [InlineData(Ferry.Cluster.Spec.HandoverMode.Push)]
    [InlineData(Ferry.Cluster.Spec.HandoverMode.PushLayerwise)]
    [InlineData(Ferry.Cluster.Spec.HandoverMode.Auto)]
    public void HandoverMode_OfTheDescription_IsTakenByEveryEngine(Ferry.Cluster.Spec.HandoverMode mode)
    {
        var request = RenderCases.Request("exchange-cpu", RenderTarget.Docker);
        var plan = ClusterPlanner.Plan(request with { Spec = request.Spec with { Handover = request.Spec.Handover with { Mode = mode } } });
        var engines = plan.Nodes.SelectMany(node => node.Processes.Where(process => process.Kind == PlannedKind.Engine).Select(process => (node, process))).ToList();
        Assert.NotEmpty(engines);
        foreach (var (node, process) in engines)
        {
            string[] words = [.. process.Arguments.SelectMany(argument => argument.Words)];
            Assert.Equal(mode != Ferry.Cluster.Spec.HandoverMode.Pull, words.Any(word => word.Contains("handover_mode", StringComparison.Ordinal)));
            var parsed = ServeOptionsParser.Parse(words[1..], Environment(process), new RenderedMachine(node, process));
            Assert.Empty(Complaints(parsed.Findings));
            Assert.Equal(Ferry.Cluster.Reading.SpecNames.Of(mode), parsed.Options!.Exchange!.Handover.Name());
        }
    }

    [Theory]
    [MemberData(nameof(RenderCases.Names), MemberType = typeof(RenderCases))]
    public void RouterOfKubernetes_OfTheProfile_IsTakenWithoutError(string name)
    {
        var plan = ClusterPlanner.Plan(RenderCases.Request(name, RenderTarget.Kubernetes));
        var router = plan.Processes.Single(process => process.Kind == PlannedKind.Router);
        Assert.Empty(router.IsFerry ? Router(router) : []);
    }

    private static List<string> Complaints(IReadOnlyList<Finding> findings) =>
        [.. findings.Where(finding => finding.Kind != FindingKind.Honoured).Select(finding => $"{finding.Kind} {finding.Name}: {finding.Text}")];

    private static List<string> Router(PlannedProcess process)
    {
        var errors = new List<string>();
        var options = RouterConfigFile.Read(process.Files.Single().Content, "router.yaml", new RouterOptions(), errors);
        errors.AddRange(RouterOptionsValidator.Validate(options));
        return errors;
    }

    /// <summary>The model cards are read from a real file: its place in the container becomes one here.</summary>
    private static string[] WithFiles(string[] words, PlannedProcess process)
    {
        foreach (var file in process.Files)
        {
            var path = Path.Combine(Directory.CreateTempSubdirectory("ferry-render-").FullName, file.Name);
            File.WriteAllText(path, file.Content);
            words = [.. words.Select(word => word == file.ContainerPath ? path : word)];
        }
        return words;
    }

    private static Dictionary<string, string> Environment(PlannedProcess process) =>
        process.Environment.ToDictionary(variable => variable.Name, variable => variable.Text + (variable.Secret is null ? "" : "0123456789abcdef0123456789abcdef") + variable.Rest);
}
