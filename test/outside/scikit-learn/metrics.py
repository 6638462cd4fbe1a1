# scikit-learn's metrics of labels and probabilities. stdin: [{"labels", "probabilities", "thresholds"}]; stdout: the same list, measured.
import json
import sys

import numpy as np
from sklearn import metrics as m


def at(y, p, threshold):
    label = p >= threshold
    tn, fp, fn, tp = m.confusion_matrix(y, label, labels=[0, 1]).ravel()
    return {
        "precision": m.precision_score(y, label) if tp + fp else None,
        "recall": m.recall_score(y, label),
        "f1": m.f1_score(y, label),
        "balancedAccuracy": m.balanced_accuracy_score(y, label),
    }


def measure(labels, probabilities, thresholds):
    y, p = np.array(labels), np.array(probabilities)
    rate = y.mean()
    return {
        "logLoss": m.log_loss(y, p),
        "baseRateLogLoss": m.log_loss(y, np.full(len(y), rate)),
        "accuracy": m.accuracy_score(y, p >= 0.5),
        "majorityAccuracy": m.accuracy_score(y, np.full(len(y), rate > 0.5)),
        "auc": m.roc_auc_score(y, p),
        "prAuc": m.average_precision_score(y, p),
        "brier": m.brier_score_loss(y, p),
        "points": [at(y, p, threshold) for threshold in thresholds],
    }


print(json.dumps([measure(**case) for case in json.load(sys.stdin)]))
