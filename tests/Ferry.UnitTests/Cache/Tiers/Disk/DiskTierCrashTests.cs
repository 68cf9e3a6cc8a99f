using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Disk;
using Xunit;

namespace Ferry.UnitTests.Cache.Tiers.Disk;

/// <summary>The power goes at every change that a run makes, in every way; the next run finds what was promised and nothing torn.</summary>
public sealed class DiskTierCrashTests
{
    private const int OpaqueKey = 1000;

    private static readonly PowerLoss[] Losses = [PowerLoss.KeepsAll, PowerLoss.LosesAll, PowerLoss.Reorders, PowerLoss.Tears];

    [Theory]
    [InlineData(DiskSyncPolicy.Every, true)]
    [InlineData(DiskSyncPolicy.Every, false)]
    [InlineData(DiskSyncPolicy.Interval, true)]
    [InlineData(DiskSyncPolicy.None, true)]
    public async Task PowerLoss_AtEveryChange_LosesNothingPromisedAndServesNothingTorn(DiskSyncPolicy sync, bool canPunch)
    {
        var crashed = true;
        var isWhole = sync == DiskSyncPolicy.Every && canPunch; // Every change; the others a third of them in the hardest way.
        for (var crashAt = 1; crashed; crashAt += isWhole ? 1 : 3)
        {
            var first = isWhole ? 0 : Losses.Length - 1;
            for (var variant = first; variant < Losses.Length; variant++)
            {
                if ((Losses[variant] == PowerLoss.KeepsAll && crashAt % 4 > 0) || (Losses[variant] == PowerLoss.Reorders && crashAt % 2 > 0))
                {
                    continue; // What tears also keeps and reorders; every change is lost, and torn.
                }
                var disk = new FaultyDisk { CrashAt = crashAt, CanPunch = canPunch };
                var expected = new Expected(keepsPromises: sync == DiskSyncPolicy.Every);
                await RunAsync(disk, DiskTierRun.Options(sync: sync), expected);
                crashed = disk.IsCrashed;
                disk.Restart(Losses[variant], (crashAt * 10) + variant);
                await CheckAsync(disk, DiskTierRun.Options(sync: sync), expected, $"crash at {crashAt}, {Losses[variant]}");
            }
        }
    }

    [Fact]
    public async Task PowerLoss_AtEveryChangeOfTheStartThatFollowsOne_LosesNothingPromisedAndServesNothingTorn()
    {
        var options = DiskTierRun.Options();
        for (var crashAt = 3; crashAt < 400; crashAt += 17)
        {
            var crashed = true;
            for (var secondAt = 1; crashed; secondAt++)
            {
                var disk = new FaultyDisk { CrashAt = crashAt };
                var expected = new Expected(keepsPromises: true);
                await RunAsync(disk, options, expected);
                disk.Restart(PowerLoss.Tears, crashAt);
                disk.CrashAt = secondAt;
                await RunAgainAsync(disk, options);
                crashed = disk.IsCrashed;
                disk.Restart(PowerLoss.Tears, secondAt);
                await CheckAsync(disk, options, expected, $"crash at {crashAt}, then at {secondAt}");
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PowerLoss_AtEveryChangeOfAFullTier_ServesNothingTorn(bool canPunch)
    {
        var options = DiskTierRun.Options(capacityBytes: 1 << 20);
        var crashed = true;
        for (var crashAt = 1; crashed; crashAt += 11)
        {
            var disk = new FaultyDisk { CrashAt = crashAt, CanPunch = canPunch };
            var expected = new Expected(keepsPromises: false);
            await FillAsync(disk, options, expected);
            crashed = disk.IsCrashed;
            disk.Restart(PowerLoss.Tears, crashAt);
            await CheckAsync(disk, options, expected, $"crash at {crashAt}");
        }
    }

    [Fact]
    public async Task PowerLoss_WhileOnePutIsHalfWrittenAndALaterOneWasSynced_TheFirstIsProvedAndNotTrusted()
    {
        var seen = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var disk = new FaultyDisk();
            var options = DiskTierRun.Options() with { WriteDepth = 2 };
            var tier = await DiskTierRun.OpenAsync(disk, options);
            await tier.PutAsync(0);
            using var isHeld = new ManualResetEventSlim();
            using var goOn = new ManualResetEventSlim();
            disk.Fault = (call, _) =>
            {
                if (call == "write" && !isHeld.IsSet)
                {
                    isHeld.Set();
                    goOn.Wait(TimeSpan.FromMinutes(1));
                }
                return null;
            };
            var first = tier.PutAsync(1);
            isHeld.Wait(TimeSpan.FromMinutes(1));
            Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(2)); // Its slot comes after that of the first.
            disk.CrashAt = disk.Changes + 3; // The first one's record, its slot, and the sync.
            goOn.Set();
            Assert.NotEqual(TierPutOutcome.Stored, await first);
            await tier.DisposeAsync();
            disk.Fault = null;
            disk.Restart(PowerLoss.Tears, seed);

            await using var again = await DiskTierRun.OpenAsync(disk, options);
            seen += await again.TryReadAsync(1) is null ? 0 : 1; // Whole, or not there.
            Assert.NotNull(await again.TryReadAsync(0));
            Assert.NotNull(await again.TryReadAsync(2));
        }
        Assert.InRange(seen, 1, 59);
    }

    /// <summary>Puts, deletes, replacements, moves and restarts, up to the crash.</summary>
    private static async Task RunAsync(FaultyDisk disk, DiskTierOptions options, Expected expected)
    {
        for (var run = 0; run < 2; run++)
        {
            DiskTier tier;
            try
            {
                tier = await DiskTierRun.OpenAsync(disk, options);
            }
            catch (IOException)
            {
                return;
            }
            catch (DiskTierException)
            {
                return;
            }
            try
            {
                await StepsAsync(disk, tier, run, expected);
            }
            catch (IOException)
            {
                Assert.True(disk.IsCrashed);
            }
            await tier.DisposeAsync();
            if (disk.IsCrashed)
            {
                return;
            }
        }
    }

    private static async Task StepsAsync(FaultyDisk disk, DiskTier tier, int run, Expected expected)
    {
        // Almost four segments' worth; a value that is replaced by one of the same length, and by one of another.
        for (var number = 0; number < 15; number++)
        {
            await expected.PutAsync(disk, tier, (run * 100) + number, DiskTierRun.Layout);
        }
        for (var version = 1; version <= 3; version++)
        {
            await expected.DeleteAsync(disk, tier, OpaqueKey);
            await expected.PutAsync(disk, tier, OpaqueKey, KvLayout.Opaque(3000 + (version / 2)), (run * 100) + version);
        }
        if (run > 0)
        {
            await expected.DeleteAsync(disk, tier, 14);
            return;
        }
        // Three segments become sparse and two of them are moved together; then one of the moved records is deleted, and written again.
        for (var number = 0; number < 14; number++)
        {
            if (number is not (3 or 6 or 10))
            {
                await expected.DeleteAsync(disk, tier, number);
            }
        }
        await tier.TidyAllAsync();
        await expected.DeleteAsync(disk, tier, 3);
        await Task.WhenAll(expected.PutAsync(disk, tier, 3, DiskTierRun.Layout), expected.PutAsync(disk, tier, 30, DiskTierRun.Layout));
        await tier.TidyAllAsync();
    }

    private static async Task FillAsync(FaultyDisk disk, DiskTierOptions options, Expected expected)
    {
        try
        {
            await using var tier = await DiskTierRun.OpenAsync(disk, options);
            for (var number = 0; number < 80 && !disk.IsCrashed; number++)
            {
                await expected.PutAsync(disk, tier, number, TestRecords.Layout(tokens: 96)); // Seven pages: some 30 of them fit.
                Assert.True(disk.AllocatedBytes <= options.CapacityBytes);
            }
            await tier.TidyAllAsync();
        }
        catch (Exception error) when (error is IOException or DiskTierException)
        {
            Assert.True(disk.IsCrashed, error.ToString());
        }
    }

    private static async Task RunAgainAsync(FaultyDisk disk, DiskTierOptions options)
    {
        try
        {
            await using var tier = await DiskTierRun.OpenAsync(disk, options);
            await tier.TidyAllAsync();
        }
        catch (Exception error) when (error is IOException or DiskTierException)
        {
            Assert.True(disk.IsCrashed, error.ToString());
        }
    }

    private static async Task CheckAsync(FaultyDisk disk, DiskTierOptions options, Expected expected, string where)
    {
        try
        {
            for (var again = 0; again < 2; again++) // The second start must trust nothing that the first had not proved.
            {
                await using var tier = await DiskTierRun.OpenAsync(disk, options);
                await expected.CheckAsync(tier);
                await tier.TidyAllAsync();
                await expected.CheckAsync(tier);
                Assert.Equal(TierPutOutcome.Stored, await tier.PutAsync(5000 + again));
                Assert.NotNull(await tier.TryReadAsync(5000 + again));
                Assert.Equal(0, tier.Counts.Damaged);
                tier.CheckIntegrity();
            }
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"After {where}: {error.Message}", error);
        }
    }

    /// <summary>What a run was promised.</summary>
    private sealed class Expected(bool keepsPromises)
    {
        private readonly Dictionary<int, int?> _promised = []; // By key: the seed of the value, or null when it was deleted.
        private readonly Dictionary<int, HashSet<int?>> _possible = []; // By key: what it may be besides.
        private readonly Lock _lock = new();

        public async Task PutAsync(FaultyDisk disk, DiskTier tier, int number, KvLayout layout, int? seed = null)
        {
            if (disk.IsCrashed)
            {
                return;
            }
            Begin(number, seed ?? number);
            var outcome = await tier.PutAsync(number, layout, seed);
            Assert.True(outcome == TierPutOutcome.Stored || disk.IsCrashed, outcome.ToString());
            if (outcome == TierPutOutcome.Stored)
            {
                End(number, seed ?? number);
            }
        }

        public async Task DeleteAsync(FaultyDisk disk, DiskTier tier, int number)
        {
            if (!disk.IsCrashed)
            {
                Begin(number, null);
                await tier.DeleteAsync(number);
                End(number, null);
            }
        }

        public async Task CheckAsync(DiskTier tier)
        {
            foreach (var (number, possible) in _possible)
            {
                var bytes = await tier.TryReadAsync(number);
                var seeds = keepsPromises ? Allowed(number) : possible.Append(null);
                Assert.True(
                    seeds.Any(seed => seed is null ? bytes is null : bytes is not null && bytes.AsSpan(1024).SequenceEqual(new Random(seed.Value).Payload(bytes.Length - 1024))),
                    $"chunk {number} has {bytes?.Length ?? 0} bytes; allowed are the values {string.Join(", ", seeds.Select(seed => seed?.ToString() ?? "none"))}");
            }
        }

        private IEnumerable<int?> Allowed(int number) =>
            _promised.TryGetValue(number, out var promised) ? _possible[number].Where(seed => seed == promised || _open.Contains((number, seed))) : _possible[number].Append(null);

        private readonly HashSet<(int Number, int? Seed)> _open = []; // Begun and not answered.

        private void Begin(int number, int? seed)
        {
            lock (_lock)
            {
                _possible.TryAdd(number, []);
                _possible[number].Add(seed);
                _open.Add((number, seed));
            }
        }

        private void End(int number, int? seed)
        {
            lock (_lock)
            {
                _promised[number] = seed;
                _open.Remove((number, seed));
            }
        }
    }
}
