namespace Ferry.Router.Bodies;

/// <summary>vLLM's <c>vllm_xargs</c>: it lands in the same dictionary as kv_transfer_params, so that name goes from in there, too.</summary>
internal static class ClientArguments
{
    /// <summary>Replaces the member when it carries an internal name; else does nothing.</summary>
    public static void Clean(JsonBody body, JsonEdit edit)
    {
        if (body.Object("vllm_xargs"u8) is not { } arguments)
        {
            return;
        }
        foreach (var name in BodyNames.Internal)
        {
            if (arguments.TryFind(name, out _))
            {
                edit.Set(BodyNames.XArgs, new JsonEdit(arguments).Drop(BodyNames.Internal).Build().ToArray());
                return;
            }
        }
    }
}
