using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering;
using Ferry.Cluster.Spec;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>The descriptions of tests/data/render, each with the ways in which it is rendered.</summary>
public static class RenderCases
{
    /// <summary>Name of the case, directory of its description, engine that replaces the description's.</summary>
    private static readonly (string Name, string Description, EngineKind? Engine)[] All =
    [
        ("exchange", "exchange", null), ("exchange-s3", "exchange-s3", null), ("nixl", "nixl", null), ("lmcache-pd", "lmcache-pd", null),
        ("exchange-cpu", "exchange", EngineKind.Ferry), ("exchange-s3-cpu", "exchange-s3", EngineKind.Ferry),
    ];

    public static TheoryData<string, RenderTarget> Everything() => Rows(All.Select(one => one.Name));

    /// <summary>The two architectures with each engine.</summary>
    public static TheoryData<string, RenderTarget> Architectures() => Rows(["exchange", "exchange-s3", "exchange-cpu", "exchange-s3-cpu"]);

    public static TheoryData<string> Names() => [.. All.Select(one => one.Name)];

    public static RenderRequest Request(string name, RenderTarget target)
    {
        var (_, description, engine) = All.Single(one => one.Name == name);
        return new RenderRequest { Spec = Spec(description), Target = target, Engine = engine };
    }

    public static ClusterSpec Spec(string description)
    {
        var reading = ClusterSpecFile.Load(RepositoryRoot.At("tests", "data", "render", description, "ferry.yaml"));
        Assert.Empty(reading.Errors);
        return reading.Spec!;
    }

    public static RenderedCluster Render(string name, RenderTarget target) => Renderer.Render(Request(name, target));

    private static TheoryData<string, RenderTarget> Rows(IEnumerable<string> names)
    {
        var rows = new TheoryData<string, RenderTarget>();
        foreach (var name in names)
        {
            foreach (var target in Enum.GetValues<RenderTarget>()) { rows.Add(name, target); }
        }
        return rows;
    }
}
