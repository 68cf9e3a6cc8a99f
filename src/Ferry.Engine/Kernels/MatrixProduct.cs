namespace Ferry.Engine.Kernels;

/// <summary>Rows of inputs times a packed matrix, split over the workers by panels of outputs.</summary>
/// <remarks>A panel is one worker's from its first product to its last, so the number of workers changes no bit. Used by one thread at a time.</remarks>
internal sealed unsafe class MatrixProduct
{
    // Below this many multiply-adds a job costs less than waking a worker (about 5 µs at 50 G multiply-adds a second).
    private const long SerialWork = 200_000;

    // Tasks a worker: enough that an uneven machine stays busy, few enough that taking them costs nothing.
    private const int TasksPerWorker = 8;

    // Rows of a tile that go through a worker's stack when the last panel is not full.
    private const int EdgeRows = 12;

    private readonly KernelSet _kernels;
    private readonly WorkerPool _workers;
    private readonly Action<int, int> _body;

    private PackedMatrix _matrix = null!;
    private float* _a;
    private nint _aStride;
    private int _rows;
    private float* _c;
    private nint _cStride;
    private bool _add;
    private int _panelsPerTask;

    public MatrixProduct(KernelSet kernels, WorkerPool workers)
    {
        _kernels = kernels;
        _workers = workers;
        _body = RunTask;
    }

    /// <summary><c>c[r, :] = (add ? c[r, :] : 0) + a[r, :] * matrixᵀ + bias</c> for <paramref name="rows"/> rows.</summary>
    /// <param name="aStride">Floats from one row of <paramref name="a"/> to the next.</param>
    public void Run(PackedMatrix matrix, float* a, nint aStride, int rows, float* c, nint cStride, bool add)
    {
        _matrix = matrix;
        _a = a;
        _aStride = aStride;
        _rows = rows;
        _c = c;
        _cStride = cStride;
        _add = add;
        bool serial = _workers.WorkerCount == 1 || (long)rows * matrix.Outputs * matrix.Depth < SerialWork;
        int tasks = serial ? 1 : Math.Min(matrix.PanelCount, _workers.WorkerCount * TasksPerWorker);
        _panelsPerTask = (matrix.PanelCount + tasks - 1) / tasks;
        _workers.Run((matrix.PanelCount + _panelsPerTask - 1) / _panelsPerTask, _body);
    }

    private void RunTask(int task, int worker)
    {
        int panel = task * _panelsPerTask;
        int end = Math.Min(panel + _panelsPerTask, _matrix.PanelCount);
        int full = Math.Min(end, _matrix.Outputs / PackedMatrix.PanelOutputs);
        int firstOutput = panel * PackedMatrix.PanelOutputs;
        for (; panel < full; panel++)
        {
            _kernels.Tile(
                _matrix.Format, _rows, _a, _aStride, _matrix.Panel(panel), _c + (panel * PackedMatrix.PanelOutputs), _cStride, _matrix.Depth, _add);
        }
        if (full < end)
        {
            RunEdge(full, _matrix.Outputs - (full * PackedMatrix.PanelOutputs), _c + (full * PackedMatrix.PanelOutputs));
        }
        AddBias(firstOutput, Math.Min(end * PackedMatrix.PanelOutputs, _matrix.Outputs) - firstOutput, _c + firstOutput);
    }

    /// <summary>The last panel, which has room for more outputs than there are: tiles go through the stack.</summary>
    private void RunEdge(int panel, int outputs, float* c)
    {
        float* tile = stackalloc float[EdgeRows * PackedMatrix.PanelOutputs];
        for (int row = 0; row < _rows; row += EdgeRows)
        {
            int rows = Math.Min(EdgeRows, _rows - row);
            _kernels.Tile(
                _matrix.Format, rows, _a + (row * _aStride), _aStride, _matrix.Panel(panel), tile, PackedMatrix.PanelOutputs, _matrix.Depth, add: false);
            for (int r = 0; r < rows; r++)
            {
                float* target = c + ((row + r) * _cStride);
                float* source = tile + (r * PackedMatrix.PanelOutputs);
                for (int output = 0; output < outputs; output++)
                {
                    target[output] = _add ? source[output] + target[output] : source[output];
                }
            }
        }
    }

    private void AddBias(int firstOutput, int outputs, float* c)
    {
        if (_matrix.Bias == null)
        {
            return;
        }
        for (int row = 0; row < _rows; row++)
        {
            _kernels.Add(c + (row * _cStride), _matrix.Bias + firstOutput, outputs);
        }
    }
}
