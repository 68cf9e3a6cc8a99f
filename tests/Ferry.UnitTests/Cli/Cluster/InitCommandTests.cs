using Ferry.Cli.Commands.Cluster;
using Ferry.Cluster.Spec;
using Ferry.UnitTests.Cluster;
using Xunit;

namespace Ferry.UnitTests.Cli.Cluster;

public sealed class InitCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-init-").FullName;

    private string Target => Path.Combine(_directory, "ferry.yaml");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static Task<CommandLineRun> RunAsync(params string[] arguments) => CommandLineRun.OfAsync([InitCommand.Create()], ["init", .. arguments]);

    [Fact]
    public async Task Init_NoFlags_WritesTheArchitectureWithHandOverOnly()
    {
        var run = await RunAsync(Target);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("ferry lint", run.Output, StringComparison.Ordinal);
        var spec = ClusterFiles.Read(File.ReadAllText(Target));
        Assert.Equal((StorageKind.None, "mi300x", "gaudi3", 4), (spec.Storage.Kind, spec.Pools[0].Accelerator, spec.Pools[1].Accelerator, spec.Pools[0].TensorParallel));
    }

    [Fact]
    public async Task Init_BucketGiven_WritesTheArchitectureWithS3()
    {
        await RunAsync(Target, "--yes", "--s3-endpoint", "http://10.0.0.9:7480", "--s3-bucket", "nixl", "--decode", "10.0.0.2", "--decode", "10.0.0.3");

        var spec = ClusterFiles.Read(File.ReadAllText(Target));
        Assert.Equal(("http://10.0.0.9:7480", "nixl", 2), (spec.Storage.S3!.Endpoint, spec.Storage.S3.Bucket, spec.Pools[1].Nodes.Count));
    }

    [Fact]
    public async Task Init_FerrysEngine_WritesCpuNodes()
    {
        var run = await RunAsync("-", "--engine", "ferry");

        var spec = ClusterFiles.Read(run.Output);
        Assert.All(spec.Pools, pool => Assert.Equal((EngineKind.Ferry, "cpu", 1), (pool.Engine.Kind, pool.Accelerator, pool.TensorParallel)));
    }

    [Fact]
    public async Task Init_FileIsThere_IsRefusedUnlessForced()
    {
        await File.WriteAllTextAsync(Target, "mine");

        var run = await RunAsync(Target, "--yes");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--force", run.Error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(Target));

        Assert.Equal(0, (await RunAsync(Target, "--yes", "--force")).ExitCode);
        Assert.NotEqual("mine", await File.ReadAllTextAsync(Target));
    }

    [Theory]
    [InlineData("--decode", "not a host", "must be a host name")]
    [InlineData("--name", "My Cluster", "lower-case letters")]
    [InlineData("--model", "x\ny: z", "model.id is")]
    [InlineData("--s3-endpoint", "s3.ceph.example", "must be http://HOST")]
    [InlineData("--storage", "tape", "tape")]
    public async Task Init_AnswerThatNoFileMayHave_IsRefusedBeforeAnythingIsWritten(string flag, string value, string expected)
    {
        var run = await RunAsync(Target, "--yes", flag, value);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task Init_TwoKindsOfStorage_IsRefused() =>
        Assert.Contains("--storage is redis, but a flag of s3", (await RunAsync(Target, "--storage", "redis", "--s3-bucket", "kvs")).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Init_DirectoryMissing_FailsWithTheReason() => Assert.Equal(1, (await RunAsync(Path.Combine(_directory, "none", "ferry.yaml"), "--yes")).ExitCode);
}
