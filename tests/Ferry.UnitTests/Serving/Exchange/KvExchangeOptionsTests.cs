using Ferry.Serving.Exchange;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

public sealed class KvExchangeOptionsTests
{
    private static readonly KvExchangeOptions Usable = new() { EngineId = "e", Model = 1 };

    [Fact]
    public void Validate_Defaults_HaveNoErrors() => Assert.Empty(Usable.Validate());

    [Fact]
    public void Validate_EverythingWrong_ListsEveryErrorAtOnce()
    {
        var options = new KvExchangeOptions
        {
            EngineId = "",
            Model = 1,
            ChunkTokens = 0,
            MemoryBytes = 1,
            Policy = "belady",
            SharedUrl = "s3://bucket",
            SharedBytes = 0,
            LeaseDuration = TimeSpan.Zero,
            LoadDeadline = TimeSpan.FromDays(2),
            LoadsMax = 0,
            TierReadsPerLoad = 0,
            PeerReadBytes = 0,
            PeersMax = 0,
            ReportsMax = 0,
            AdvertisedHost = "",
            AdvertisedPort = 70_000,
            HashAlgorithm = "md5",
        };
        var errors = options.Validate();

        string[] named =
        [
            "engineId", "chunkTokens is 0", "capacityBytes is 1", "\"belady\"", "s3://bucket", "sharedBytes is 0", "leaseDuration", "loadDeadline", "loadsMax is 0",
            "tierReadsPerLoad is 0", "peerReadBytes is 0", "peersMax is 0", "reportsMax is 0", "advertisedHost", "advertisedPort is 70000", "md5",
        ];
        Assert.Equal(named.Length, errors.Count);
        Assert.All(named, name => Assert.Contains(errors, error => error.Contains(name, StringComparison.Ordinal)));
        Assert.Throws<ArgumentException>(() => new KvExchange(options, TimeProvider.System, NullLoggerFactory.Instance));
    }
}
