using Ferry.Kv.Layout;
using Ferry.TestKit.Disk;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers.Disk;

/// <summary>A record that is deleted while it is on the medium twice does not come back, whatever the power failure keeps.</summary>
public sealed class DiskCompactionCrashTests
{
    [Theory]
    [InlineData("write", 2)] // The first record's copy has its slot, the index still points at the old place.
    [InlineData("delete", 1)] // The index points at the copy, the old segment is still there.
    public async Task DeleteAsync_WhileTheRecordIsBeingMoved_IsForGood(string call, int heldAt)
    {
        foreach (var loss in Enum.GetValues<PowerLoss>())
        {
            for (var seed = 0; seed < 8; seed++)
            {
                await DeleteAsync(call, heldAt, loss, seed);
            }
        }
    }

    private static async Task DeleteAsync(string call, int heldAt, PowerLoss loss, int seed)
    {
        var disk = new FaultyDisk();
        var options = DiskTierRun.Options() with { WriteDepth = 2 };
        var tier = await DiskTierRun.OpenAsync(disk, options);
        var small = KvLayout.Opaque(1000);
        for (var number = 0; number < 29; number++)
        {
            await tier.PutAsync(number, small); // One page each: fourteen to a segment, the last begins a third.
        }
        for (var number = 0; number < 28; number++)
        {
            if (number is not (3 or 5 or 20 or 21))
            {
                await tier.DeleteAsync(number);
            }
        }
        using var held = new HeldCall(disk, call, at: heldAt);
        var moving = Task.Run(tier.TidyAllAsync);
        await held.ComesAsync();
        Assert.Equal(1, await tier.DeleteAsync(3));
        disk.CrashAt = disk.Changes + 1;
        held.GoOn();
        await Assert.ThrowsAnyAsync<IOException>(() => moving);
        await tier.DisposeAsync();
        disk.Fault = null;
        disk.Restart(loss, seed);

        await using var again = await DiskTierRun.OpenAsync(disk, options);
        Assert.Null(await again.TryReadAsync(3));
        foreach (var number in (int[])[5, 20, 21, 28])
        {
            Assert.NotNull(await again.TryReadAsync(number));
        }
        Assert.Equal(0, again.Counts.Damaged);
        again.CheckIntegrity();
    }
}
