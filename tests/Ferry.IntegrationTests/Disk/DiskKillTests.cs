using System.Globalization;
using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Disk;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Disk;

public sealed class DiskKillTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("ferry-disk-kill-").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Theory]
    [InlineData(DiskSyncPolicy.None)]
    [InlineData(DiskSyncPolicy.Interval)]
    [InlineData(DiskSyncPolicy.Every)]
    public async Task Kill_InTheMiddleOfWrites_LosesNothingAnsweredAndServesNothingTorn(DiskSyncPolicy sync)
    {
        var options = new DiskTierOptions { Path = _path, CapacityBytes = 512 << 20, Sync = sync };
        var answered = new List<int>();
        for (var round = 0; round < 4; round++)
        {
            using (var child = DiskChild.Start(options, round * 1000))
            {
                for (var count = 0; count < 10 + (round * 7) && await child.StandardOutput.ReadLineAsync() is { } line; count++)
                {
                    answered.Add(int.Parse(line, CultureInfo.InvariantCulture));
                }
                child.Kill(); // SIGKILL
                await child.WaitForExitAsync();
            }
            await using var tier = await DiskTier.OpenAsync(options, TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None);
            Assert.True(answered.Count >= 10);
            foreach (var number in answered)
            {
                var record = Assert.Single(await tier.FindAsync(TestRecords.Key(number), CancellationToken.None));
                var bytes = new byte[record.RecordBytes];
                Assert.Equal(TierReadOutcome.Read, (await tier.ReadAsync(record, bytes, CancellationToken.None)).Outcome);
                Assert.True(bytes.AsSpan().SequenceEqual(TestRecords.Record(number, DiskPutLoop.LayoutOf(number)).Record));
            }
            Assert.Equal(0, (await tier.VerifyAsync(new TierVerifyOptions(), null, CancellationToken.None)).Damaged);
        }
    }

    [Fact]
    public async Task OpenAsync_WhileAnotherProcessHasIt_IsRefusedWithItsNumber()
    {
        var options = new DiskTierOptions { Path = _path, CapacityBytes = 64 << 20 };
        using var child = DiskChild.Start(options, 0);
        Assert.NotNull(await child.StandardOutput.ReadLineAsync());
        try
        {
            var error = await Assert.ThrowsAsync<DiskTierException>(() => DiskTier.OpenAsync(options, TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None));
            Assert.Contains($"({child.Id.ToString(CultureInfo.InvariantCulture)})", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync();
        }
    }
}
