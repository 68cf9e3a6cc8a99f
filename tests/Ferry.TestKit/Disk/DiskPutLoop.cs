using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.TestKit.Disk;

/// <summary>Puts records until the process is killed, and says each number once the tier has answered for it.</summary>
public static class DiskPutLoop
{
    private const int InFlight = 4;
    private const int NumbersMax = 900; // Not for ever, should nobody kill it.

    /// <summary>Some smaller than a page, some larger than the pieces in which records are read.</summary>
    public static KvLayout LayoutOf(int number) => KvLayout.Opaque(500 + (number * 37_003 % 1_500_000));

    public static async Task RunAsync(DiskTierOptions options, int first, TextWriter answers)
    {
        await using var tier = await DiskTier.OpenAsync(options, TimeProvider.System, NullLogger<DiskTier>.Instance, CancellationToken.None);
        var next = first - 1;
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number < first + NumbersMax)
            {
                var (header, record) = TestRecords.Record(number, LayoutOf(number));
                if (await tier.PutAsync(header, record, CancellationToken.None) == TierPutOutcome.Stored)
                {
                    lock (answers)
                    {
                        answers.WriteLine(number);
                        answers.Flush();
                    }
                }
            }
        })));
    }
}
