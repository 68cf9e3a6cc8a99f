using Ferry.Serving.Api.Chat;
using Ferry.Serving.Api.Errors;
using Ferry.Serving.Api.Generation;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Tokens;

/// <summary>POST /tokenize and /detokenize.</summary>
internal sealed class TokensEndpoint(ApiState api, ChatPrompt chat)
{
    public async Task TokenizeAsync(HttpContext context)
    {
        var body = await ServingJson.ReadAsync(context, ServingJsonContext.Wire.TokenizeRequest, api.Limits);
        ModelCheck.Resolve(api, body.Model);
        if (body.Prompt is null == body.Messages is null)
        {
            throw ApiException.BadRequest("Give either prompt or messages.", "prompt");
        }
        var tokens = body.Prompt is { } prompt
            ? api.Engine.Tokenizer.Encode(prompt, body.AddSpecialTokens ?? true)
            : chat.Encode(body.Messages, body.AddGenerationPrompt, body.AddSpecialTokens ?? false, body.Tools, body.ChatTemplateKwargs);
        string[]? texts = body.ReturnTokenStrs ? [.. tokens.Select(api.Engine.Tokenizer.TokenText)] : null;
        await ServingJson.WriteAsync(
            context, new TokenizeResponse(tokens.Length, api.Engine.Info.MaxModelLen, tokens, texts), ServingJsonContext.Wire.TokenizeResponse);
    }

    public async Task DetokenizeAsync(HttpContext context)
    {
        var body = await ServingJson.ReadAsync(context, ServingJsonContext.Wire.DetokenizeRequest, api.Limits);
        ModelCheck.Resolve(api, body.Model);
        var tokens = body.Tokens ?? throw ApiException.BadRequest("tokens must be a list of token ids.", "tokens");
        foreach (var token in tokens)
        {
            if (token < 0 || token >= api.Engine.Info.VocabularySize)
            {
                throw ApiException.BadRequest($"Token id {token} is out of vocabulary: ids lie in 0..{api.Engine.Info.VocabularySize - 1}.", "tokens");
            }
        }
        var text = api.Engine.Tokenizer.Decode(tokens, skipSpecialTokens: false);
        await ServingJson.WriteAsync(context, new DetokenizeResponse(text), ServingJsonContext.Wire.DetokenizeResponse);
    }
}
