using Ferry.Serving.Api.Streaming;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Generation;

/// <summary>Runs a plan and writes its answer, with proof, metrics and one line in the log. A client that goes away aborts the run.</summary>
internal static class GenerationCall
{
    public static async Task ExecuteAsync(HttpContext context, ApiState api, GenerationPlan plan, IAnswer answer, long arrived)
    {
        var tally = new RunTally(plan, api.Metrics, api.Clock, arrived);
        api.Metrics.RequestStarted(plan);
        await using var run = await GenerationRun.StartAsync(api.Engine, plan);
        try
        {
            // The load is done before the first token, so its proof can stand in the headers of a stream as well.
            var first = await run.ReadAsync(context.RequestAborted);
            if (first is { } output)
            {
                tally.Observe(output);
                answer.Take(output);
            }
            await (plan.Stream
                ? StreamAsync(context, api, plan, answer, run, tally, first)
                : WholeAsync(context, api, plan, answer, run, tally));
        }
        finally
        {
            foreach (var id in run.EngineIds)
            {
                api.Reports?.Forget(id);
            }
        }
    }

    private static async Task WholeAsync(HttpContext context, ApiState api, GenerationPlan plan, IAnswer answer, GenerationRun run, RunTally tally)
    {
        while (await run.ReadAsync(context.RequestAborted) is { } output)
        {
            tally.Observe(output);
            answer.Take(output);
        }
        var proof = Proof(api, plan, run, tally);
        proof.WriteHeaders(context.Response);
        await answer.WriteWholeAsync(context, tally.FinalUsage(), tally.TransferParams, Body(api, plan, proof));
        Conclude(context, api, plan, tally, proof);
    }

    private static async Task StreamAsync(HttpContext context, ApiState api, GenerationPlan plan, IAnswer answer, GenerationRun run, RunTally tally, RunOutput? first)
    {
        Proof(api, plan, run, null).WriteHeaders(context.Response);
        var stream = new SseStream(context, api.Limits.WriteDeadline, api.Clock);
        context.Features.Set(stream);
        for (var output = first; output is { } one; output = await run.ReadAsync(context.RequestAborted))
        {
            if (one != first)
            {
                tally.Observe(one);
            }
            await answer.StreamAsync(stream, one, plan.ContinuousUsage ? tally.UsageSoFar() : null, context.RequestAborted);
        }
        var proof = Proof(api, plan, run, tally);
        if (plan.IncludeUsage)
        {
            await answer.StreamUsageAsync(stream, tally.FinalUsage(), Body(api, plan, proof), context.RequestAborted);
        }
        await stream.DoneAsync(context.RequestAborted);
        Conclude(context, api, plan, tally, proof);
    }

    private static KvProof Proof(ApiState api, GenerationPlan plan, GenerationRun run, RunTally? tally) =>
        KvProof.Of(plan, run.EngineIds, api.Reports, tally, api.Engine.Info.BlockTokens);

    /// <summary>Plain nodes answer as vLLM does, without Ferry's field.</summary>
    private static KvProofBody? Body(ApiState api, GenerationPlan plan, KvProof proof) =>
        api.Reports is null && !plan.ExpectsHandover ? null : proof.ToBody();

    private static void Conclude(HttpContext context, ApiState api, GenerationPlan plan, RunTally tally, KvProof proof)
    {
        if (proof.IsMissed)
        {
            api.Metrics.HandoverMissed(proof.Reason);
            ApiLog.HandoverMissed(api.Logger, plan.RequestId, proof.Reason, plan.PromptTokens - tally.CachedTokens);
        }
        ApiLog.RequestDone(
            api.Logger, plan.RequestId, context.Request.Path, context.Response.StatusCode, tally.LastFinishReason, plan.PromptTokens, tally.CachedTokens, proof.Source,
            tally.CompletionTokens, (tally.TimeToFirstToken ?? tally.Elapsed).TotalMilliseconds, tally.Elapsed.TotalMilliseconds);
    }
}
