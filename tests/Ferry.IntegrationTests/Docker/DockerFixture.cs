using Ferry.TestKit;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Docker;

/// <summary>One Docker engine for all tests that want one.</summary>
public sealed class DockerFixture : IAsyncLifetime
{
    public const string Collection = "docker";

    private static int _names;

    public DockerLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Lab = await DockerLab.StartAsync(RepositoryRoot.At("artifacts", "bin", "Ferry.Cli", "release"));

    public ValueTask DisposeAsync() => Lab?.DisposeAsync() ?? ValueTask.CompletedTask; // xunit disposes what did not start, too

    /// <summary>A name for a container or a cluster that no other test uses.</summary>
    public static string NextName(string prefix) => $"{prefix}-{Interlocked.Increment(ref _names)}";
}

[CollectionDefinition(DockerFixture.Collection)]
public sealed class DockerCollection : ICollectionFixture<DockerFixture>;
