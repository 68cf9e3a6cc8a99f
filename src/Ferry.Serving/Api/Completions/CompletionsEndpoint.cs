using Ferry.Serving.Api.Errors;
using Ferry.Serving.Api.Generation;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Completions;

/// <summary>POST /v1/completions.</summary>
internal sealed class CompletionsEndpoint(ApiState api)
{
    public async Task HandleAsync(HttpContext context)
    {
        var arrived = api.Clock.GetTimestamp();
        var body = await ServingJson.ReadAsync(context, ServingJsonContext.Wire.CompletionRequest, api.Limits);
        var requestId = RequestIds.Resolve(context, body.RequestId);
        UnknownFields.Log(api, requestId, body);
        var model = ModelCheck.Resolve(api, body.Model);
        UnsupportedFields.Refuse(body);
        var (plan, prompts) = Plan(body, requestId);
        var texts = new TokenTexts(api.Engine.Tokenizer, body.ReturnTokensAsTokenIds == true);
        await GenerationCall.ExecuteAsync(context, api, plan, new CompletionAnswer(plan, body, prompts, model, api.UnixSeconds, texts, api.Engine.Tokenizer), arrived);
    }

    private (GenerationPlan Plan, IReadOnlyList<CompletionPrompt> Prompts) Plan(CompletionRequest body, string requestId)
    {
        var engine = api.Engine.Info;
        var prompts = PromptReader.Read(body.Prompt, api.Engine.Tokenizer, body.AddSpecialTokens ?? true, engine.VocabularySize, api.Limits.MaxPrompts);
        prompts = [.. prompts.Select(prompt => prompt with { Tokens = ContextBudget.Truncate(prompt.Tokens, body.TruncatePromptTokens, engine.MaxModelLen) })];
        if (prompts.Count * (long)(body.N ?? 1) > api.Limits.MaxPrompts)
        {
            throw ApiException.BadRequest($"{prompts.Count} prompts with n = {body.N} are more than {api.Limits.MaxPrompts} choices, the most of one request.", "n");
        }
        var echoesOnly = body.Echo == true && body.MaxTokens == 0;   // OpenAI's way to score a prompt
        var promptLogprobs = body.PromptLogprobs ?? (body.Echo == true ? body.Logprobs : null);
        if (body.PromptLogprobs is not null && body.Stream == true)
        {
            throw ApiException.BadRequest("`prompt_logprobs` are not available when `stream=True`.", "prompt_logprobs");
        }
        var asked = echoesOnly ? 1 : body.MaxCompletionTokens ?? body.MaxTokens;
        var sampling = prompts.Select(prompt => SamplingReader.Read(
            body, engine, api.Limits, ContextBudget.MaxTokens(prompt.Tokens.Count, engine.MaxModelLen, asked, "max_tokens"), body.Logprobs, promptLogprobs));
        var plan = new GenerationPlan(
            requestId, $"cmpl-{requestId}", [.. prompts.Select(prompt => prompt.Tokens)], [.. sampling], body.CacheSalt ?? "", body.KvTransferParams, body.Stream == true,
            GenerationPlan.WantsUsage(body, api.Limits.ForceIncludeUsage), body.StreamOptions?.ContinuousUsageStats == true);
        return (plan, prompts);
    }
}
