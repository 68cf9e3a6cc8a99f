using Ferry.Cluster.Lint;
using Ferry.Cluster.Sources;
using Ferry.Cluster.Spec;
using Ferry.Cluster.Starter;
using Xunit;

namespace Ferry.UnitTests.Cluster.Starter;

public sealed class StarterFileTests
{
    public static TheoryData<StorageKind, EngineKind, HandoverKind, TransportKind> Combinations()
    {
        var data = new TheoryData<StorageKind, EngineKind, HandoverKind, TransportKind>();
        foreach (var storage in Enum.GetValues<StorageKind>())
        {
            foreach (var engine in Enum.GetValues<EngineKind>())
            {
                foreach (var handover in Enum.GetValues<HandoverKind>())
                {
                    data.Add(storage, engine, handover, storage == StorageKind.None ? TransportKind.Tcp : TransportKind.Roce);
                }
            }
        }
        return data;
    }

    /// <summary>Of the other ways a warning is the point: they have no store, and do not work between vendors.</summary>
    public static TheoryData<StorageKind, EngineKind, HandoverKind> Clean()
    {
        var data = new TheoryData<StorageKind, EngineKind, HandoverKind> { { StorageKind.None, EngineKind.Vllm, HandoverKind.Nixl } };
        foreach (var storage in Enum.GetValues<StorageKind>())
        {
            foreach (var engine in Enum.GetValues<EngineKind>()) { data.Add(storage, engine, HandoverKind.Ferry); }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Write_AnyAnswers_IsAFileThatTheReaderTakesAndThatSaysThem(StorageKind storage, EngineKind engine, HandoverKind handover, TransportKind transport)
    {
        var isCpu = engine == EngineKind.Ferry;
        var answers = new StarterAnswers
        {
            Storage = storage,
            Engine = engine,
            Handover = handover,
            Transport = transport,
            PrefillAccelerator = isCpu ? "cpu" : "mi300x",
            DecodeAccelerator = isCpu ? "cpu" : "gaudi3",
            PrefillAddresses = ["10.0.0.1", "fe80::1", "<third>"],
        };

        var spec = ClusterFiles.Read(StarterFile.Write(answers));

        Assert.Equal((storage, handover, transport), (spec.Storage.Kind, spec.Handover.Kind, spec.Transport.Kind));
        Assert.All(spec.Pools, pool => Assert.Equal(engine, pool.Engine.Kind));
        Assert.Equal(answers.PrefillAddresses, spec.Pools[0].Nodes.Select(node => node.Address));
        Assert.Equal(["<decode-ip>"], spec.Pools[1].Nodes.Select(node => node.Address));
    }

    [Theory]
    [MemberData(nameof(Clean))]
    public void Write_AnswersThatWork_IsAFileThatLintFindsNothingIn(StorageKind storage, EngineKind engine, HandoverKind handover)
    {
        var isCpu = engine == EngineKind.Ferry;
        var answers = new StarterAnswers
        {
            Storage = storage,
            Engine = engine,
            Handover = handover,
            Transport = handover == HandoverKind.Nixl ? TransportKind.Roce : TransportKind.Tcp,
            PrefillAccelerator = isCpu ? "cpu" : "mi300x",
            DecodeAccelerator = isCpu ? "cpu" : handover == HandoverKind.Nixl ? "mi300x" : "gaudi3",
        };
        var report = Linter.Run([new SourceFile("ferry.yaml", StarterFile.Write(answers))], LintOptions.Default);
        Assert.Empty(report.Findings.Select(finding => $"{finding.Severity} {finding.Rule.Id}:{finding.Span.Line}: {finding.Message}"));
        Assert.Contains("prefill engine", report.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WordsThatYamlWouldReadOtherwise_AreQuoted()
    {
        var spec = ClusterFiles.Read(StarterFile.Write(new StarterAnswers { Model = "a:b#c", Storage = StorageKind.S3, S3Endpoint = "http://[::1]:9000" }));

        Assert.Equal(("a:b#c", "http://[::1]:9000"), (spec.Model.Id, spec.Storage.S3!.Endpoint));
    }

    [Fact]
    public void Write_Always_IsCommentedAndHoldsNoSecret()
    {
        var text = StarterFile.Write(new StarterAnswers { Storage = StorageKind.S3 });

        Assert.True(text.Split('\n').Count(line => line.Contains('#', StringComparison.Ordinal)) >= 20);
        Assert.Contains("secretKey: {env: AWS_SECRET_ACCESS_KEY}", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
    }
}
