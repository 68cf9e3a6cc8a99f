using Ferry.Cluster.Planning.Simulation;
using Ferry.Cluster.Spec;
using Ferry.TestKit.Cache;
using Xunit;

namespace Ferry.UnitTests.Cluster.Planning.Simulation;

public sealed class BlockCacheTests
{
    [Theory]
    [InlineData(CachePolicy.Lru, "lru", 1)]
    [InlineData(CachePolicy.Lru, "lru", 7)]
    [InlineData(CachePolicy.Lru, "lru", 400)]
    [InlineData(CachePolicy.Fifo, "fifo", 60)]
    [InlineData(CachePolicy.Mru, "mru", 60)]
    [InlineData(CachePolicy.Lfu, "lfu", 7)]
    [InlineData(CachePolicy.Lfu, "lfu", 400)]
    [InlineData(CachePolicy.S3Fifo, "s3fifo", 7)]
    [InlineData(CachePolicy.S3Fifo, "s3fifo", 400)]
    public void Request_RandomChains_HitsWhatThePlainReferenceHits(CachePolicy policy, string reference, int capacity)
    {
        var random = new Random(17);
        int[][] requests =
        [
            .. Enumerable.Range(0, 4000).Select(_ =>
            {
                var conversation = (int)Math.Pow(300, random.NextDouble());
                return Enumerable.Range(0, 1 + random.Next(12)).Select(position => (conversation * 100) + position).ToArray();
            }),
        ];
        var cache = BlockCache.Create(policy, capacity, 100_000);

        var hits = requests.Sum(request => (long)cache.Request(request));

        Assert.Equal(ReferenceCache.ByPolicy[reference](capacity).Run(requests), hits);
        Assert.Equal(capacity, cache.Count);
    }

    [Fact]
    public void Add_NoCapacity_KeepsNothing()
    {
        var cache = BlockCache.Create(CachePolicy.Lru, 0, 10);

        Assert.Equal((3, false, 0), (cache.Add(3), cache.Contains(3), cache.Request([3, 4])));
    }
}
