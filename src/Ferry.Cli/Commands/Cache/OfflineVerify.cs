using System.Text.Json.Nodes;
using Ferry.Cache.Remote;
using Ferry.Cache.Remote.Hosting.Admin;
using Ferry.Cache.Tiers;
using Ferry.Cache.Tiers.Disk;
using Ferry.Kv.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Cli.Commands.Cache;

/// <summary>Verifies a tier that this process opens itself.</summary>
internal static class OfflineVerify
{
    public static Task<IKvTier> OpenRemoteAsync(string url) =>
        OpenAsync(() => Task.FromResult(RemoteTiers.Open(url, new RemoteTierOptions(), TimeProvider.System, NullLoggerFactory.Instance)), "--remote");

    /// <summary>Opens a directory as it is: with a cap that nothing in it can reach, so that opening evicts nothing.</summary>
    public static Task<IKvTier> OpenDiskAsync(string directory, CancellationToken cancellationToken) => !Directory.Exists(directory)
        ? throw new UsageException($"--disk {directory}: there is no such directory.")
        : OpenAsync(async () => await DiskTier.OpenAsync(
            new DiskTierOptions { Path = Path.GetFullPath(directory), CapacityBytes = 1L << 50 }, TimeProvider.System, NullLogger<DiskTier>.Instance, cancellationToken), "--disk");

    /// <summary>Closes the tier at the end.</summary>
    public static async Task<JsonObject> RunAsync(IKvTier tier, bool dropsDamaged, TextWriter output, CancellationToken cancellationToken)
    {
        await using (tier)
        {
            if (tier is not IVerifiableTier verifiable)
            {
                throw new AdminClientException($"{tier.Name} cannot be verified.");
            }
            TierVerifyReport? report = null;
            await WorkProgress.RunAsync("verify", output, async told => report = await verifiable.VerifyAsync(
                new TierVerifyOptions { DropDamaged = dropsDamaged },
                new Steps(step => told(step.Bytes, step.BytesTotal, $"{step.Records} records, {ByteSize.Format(step.Bytes)}")), cancellationToken));
            return VerifyRun.ToJson(report!);
        }
    }

    private static async Task<IKvTier> OpenAsync(Func<Task<IKvTier>> open, string option)
    {
        try
        {
            return await open();
        }
        catch (Exception exception) when (exception is ArgumentException or DiskTierException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{option}: {exception.Message}");
        }
    }

    private sealed class Steps(Action<TierVerifyProgress> told) : IProgress<TierVerifyProgress>
    {
        public void Report(TierVerifyProgress value) => told(value);
    }
}
