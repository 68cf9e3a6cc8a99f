using System.Text.Json.Nodes;
using System.Threading.Channels;
using Ferry.Cache.Tiers;
using Microsoft.AspNetCore.Http;

namespace Ferry.Cache.Remote.Hosting.Admin;

/// <summary>Verifies a tier and tells how far it has come, one line a step.</summary>
public static class VerifyRun
{
    internal static async Task RunAsync(HttpContext context, IVerifiableTier tier, bool dropsDamaged)
    {
        // The last step alone matters: a client that reads slowly gets fewer lines, not a longer queue.
        var steps = Channel.CreateBounded<TierVerifyProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var verifying = VerifyAsync();
        await foreach (var step in steps.Reader.ReadAllAsync(context.RequestAborted))
        {
            await AdminJson.WriteLineAsync(context, new JsonObject
            {
                ["done"] = false,
                ["records"] = step.Records,
                ["bytes"] = step.Bytes,
                ["damaged"] = step.Damaged,
                ["bytes_total"] = step.BytesTotal,
            });
        }
        var report = await verifying;
        await AdminJson.WriteLineAsync(context, ToJson(report));

        async Task<TierVerifyReport> VerifyAsync()
        {
            try
            {
                return await tier.VerifyAsync(new TierVerifyOptions { DropDamaged = dropsDamaged }, new Steps(steps.Writer), context.RequestAborted);
            }
            finally
            {
                steps.Writer.Complete();
            }
        }
    }

    public static JsonObject ToJson(TierVerifyReport report) => new()
    {
        ["done"] = true,
        ["records"] = report.Records,
        ["bytes"] = report.Bytes,
        ["damaged"] = report.Damaged,
        ["named"] = new JsonArray([.. report.Named.Select(one => (JsonNode)new JsonObject { ["location"] = one.Location, ["reason"] = one.Reason })]),
    };

    private sealed class Steps(ChannelWriter<TierVerifyProgress> writer) : IProgress<TierVerifyProgress>
    {
        public void Report(TierVerifyProgress value) => writer.TryWrite(value);
    }
}
