using Ferry.Serving.Api.Errors;
using Ferry.Serving.Api.Generation;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Chat;

/// <summary>POST /v1/chat/completions.</summary>
internal sealed class ChatEndpoint(ApiState api, ChatPrompt prompts)
{
    public async Task HandleAsync(HttpContext context)
    {
        var arrived = api.Clock.GetTimestamp();
        var body = await ServingJson.ReadAsync(context, ServingJsonContext.Wire.ChatRequest, api.Limits);
        var requestId = RequestIds.Resolve(context, body.RequestId);
        UnknownFields.Log(api, requestId, body);
        var model = ModelCheck.Resolve(api, body.Model);
        UnsupportedFields.Refuse(body);
        var plan = Plan(body, requestId);
        var texts = new TokenTexts(api.Engine.Tokenizer, body.ReturnTokensAsTokenIds == true);
        await GenerationCall.ExecuteAsync(context, api, plan, new ChatAnswer(plan, body, model, api.UnixSeconds, texts, api.Limits.ResponseRole), arrived);
    }

    private GenerationPlan Plan(ChatRequest body, string requestId)
    {
        var engine = api.Engine.Info;
        if (body.TopLogprobs is > 0 && body.Logprobs != true)
        {
            throw ApiException.BadRequest("when using `top_logprobs`, `logprobs` must be set to true.", "top_logprobs");
        }
        if (body.PromptLogprobs is not null && body.Stream == true)
        {
            throw ApiException.BadRequest("`prompt_logprobs` are not available when `stream=True`.", "prompt_logprobs");
        }
        var tokens = prompts.Encode(body.Messages, body.AddGenerationPrompt ?? true, body.AddSpecialTokens ?? false, body.Tools, body.ChatTemplateKwargs);
        var prompt = ContextBudget.Truncate(tokens, body.TruncatePromptTokens, engine.MaxModelLen);
        var field = body.MaxCompletionTokens is null ? "max_tokens" : "max_completion_tokens";
        var maxTokens = ContextBudget.MaxTokens(prompt.Count, engine.MaxModelLen, body.MaxCompletionTokens ?? body.MaxTokens, field);
        var logprobs = body.Logprobs == true ? body.TopLogprobs ?? 0 : (int?)null;
        var sampling = SamplingReader.Read(body, engine, api.Limits, maxTokens, logprobs, body.PromptLogprobs);
        return new GenerationPlan(
            requestId, $"chatcmpl-{requestId}", [prompt], [sampling], body.CacheSalt ?? "", body.KvTransferParams, body.Stream == true,
            GenerationPlan.WantsUsage(body, api.Limits.ForceIncludeUsage), body.StreamOptions?.ContinuousUsageStats == true);
    }
}
